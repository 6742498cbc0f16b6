import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { StoreUnavailable } from "../../src/services/ports.ts"
import { DataFolderInUse } from "../../src/store/sqlite/lock.ts"
import { storeContract } from "../contracts/store.ts"
import { idTagRow } from "../support/charging.ts"
import { until } from "../support/until.ts"
import { startWriting } from "./contract/writing-process.ts"
import { type Place, placeAt, refusal } from "./place.ts"

async function sqlitePlace(): Promise<Place> {
  const connect = () => new Database(join(place.options.dataDir, "busbar.sqlite"))
  const place: Place = placeAt(undefined, {
    stores: 1,
    async stall() {
      const db = connect()
      db.run("BEGIN IMMEDIATE")
      return async () => db.close()
    },
    async query(text) {
      using db = connect()
      // A store that was just closed may still be bringing its log into the database.
      db.run("PRAGMA busy_timeout = 5000")
      return db.query<Record<string, unknown>, []>(text).all()
    },
  })
  return place
}

storeContract("on SQLite", sqlitePlace)

test("a second opener of the same SQLite file is refused with a reason", async () => {
  await using place = await sqlitePlace()
  await using _first = await place.open()
  expect(await refusal(place.open())).toBeInstanceOf(DataFolderInUse)
  expect(await refusal(place.open())).toMatchObject({
    message: expect.stringMatching(/open in another process.*DATABASE_URL/),
  })
})

test("a process that holds the SQLite file keeps others out until it is gone, however it goes", async () => {
  await using place = await sqlitePlace()
  await using writing = await startWriting(place.options)
  await writing.acknowledged(1)
  expect(await refusal(place.open())).toBeInstanceOf(DataFolderInUse)
  await writing.kill()
  await using store = await place.open()
  expect(await store.read.countChargePoints("default", {})).toBeGreaterThan(0)
})

test("a store that failed to open gives the SQLite file back", async () => {
  await using place = await sqlitePlace()
  await (await place.open())[Symbol.asyncDispose]()
  await place.query("INSERT INTO migrations (name, at) VALUES ('9999-of-the-future', 0) RETURNING name")
  expect(await refusal(place.open())).toMatchObject({ message: expect.stringMatching(/9999-of-the-future/) })
  await place.query("DELETE FROM migrations WHERE name LIKE '9999%' RETURNING name")
  await using store = await place.open()
  expect(await store.read.countChargePoints("default", {})).toBe(0)
})

test("a lock that another program keeps too long is trouble, and when it is gone the store finds out by itself", async () => {
  await using place = await sqlitePlace()
  const store = await place.open()
  const release = await place.stall()
  expect(await refusal(store.change("createIdTag", { idTag: idTagRow("04A1") }))).toBeInstanceOf(StoreUnavailable)
  expect(store.troubleSince()).toBeWithin(1, Date.now() + 1)
  expect(await store.read.idTags("default", {}, {})).toMatchObject({ rows: [] })
  await release()
  await until("the store is back", () => store.troubleSince() === null)
  expect(await store.change("createIdTag", { idTag: idTagRow("04A1") })).toMatchObject({ idTag: { idTag: "04A1" } })
}, 30_000)
