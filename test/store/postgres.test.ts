import { expect, test } from "bun:test"
import pg from "pg"
import { StoreUnavailable } from "../../src/services/ports.ts"
import { storeContract } from "../contracts/store.ts"
import { chargePointRow, idTagRow, start } from "../support/charging.ts"
import { freshDatabase, startPostgres } from "../support/postgres.ts"
import { until } from "../support/until.ts"
import { type Place, placeAt, refusal } from "./place.ts"

async function postgresPlace(): Promise<Place> {
  const url = await freshDatabase()
  const connected = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  return placeAt(url, {
    stores: 2,
    async stall() {
      const client = await connected()
      await client.query("BEGIN; LOCK TABLE subjects, settings IN EXCLUSIVE MODE")
      return () => client.end()
    },
    async query(text) {
      const client = await connected()
      const { rows } = await client.query(text)
      await client.end()
      return rows
    },
  })
}

storeContract("on PostgreSQL", postgresPlace)

test("several nodes may start on an empty PostgreSQL database at once", async () => {
  await using place = await postgresPlace()
  const stores = await Promise.all([place.open(), place.open(), place.open()])
  const counts = await Promise.all(stores.map((store) => store.read.countChargePoints("default", {})))
  expect(counts).toEqual([0, 0, 0])
  const names = (await place.query("SELECT name FROM migrations ORDER BY name")).map(({ name }) => String(name))
  expect(names.slice(0, 2)).toEqual(["0001-core", "0002-command-queue"])
  expect(new Set(names).size).toBe(names.length)
})

test("of two nodes that create the same identity at once, one learns that it exists", async () => {
  await using place = await postgresPlace()
  const stores = await Promise.all([place.open(), place.open()])
  for (let round = 0; round < 20; round++) {
    const outcomes = await Promise.all(
      stores.map((store, node) =>
        store.change("createChargePoint", {
          chargePoint: chargePointRow({ id: `${round}-${node}`, identity: `CP-${round}` }),
        }),
      ),
    )
    expect(outcomes.filter((outcome) => "alreadyExists" in outcome)).toHaveLength(1)
  }
})

test("an idTag's limit of running transactions holds over two nodes that start at once", async () => {
  await using place = await postgresPlace()
  const stores = await Promise.all([place.open(), place.open()])
  for (let round = 0; round < 20; round++) {
    const idTag = `TAG-${round}`
    await stores[0]!.change("createIdTag", { idTag: idTagRow(idTag, { maxActiveTransactions: 1 }) })
    const outcomes = await Promise.all(
      stores.map((store, node) =>
        store.change("startTransaction", start({ idTag }, { chargePointId: `${round}-${node}` })),
      ),
    )
    expect(outcomes.map(({ idTagInfo }) => idTagInfo.status).sort()).toEqual(["Accepted", "ConcurrentTx"])
  }
})

test("while PostgreSQL is away every call says so, and when it is back the store finds it by itself", async () => {
  await using server = await startPostgres()
  await using place = placeAt(server.url, { stores: 2, stall: unused, query: unused })
  const store = await place.open()
  await store.change("createChargePoint", { chargePoint: chargePointRow() })

  await server.kill()
  expect(await refusal(store.change("createIdTag", { idTag: idTagRow("04A1") }))).toBeInstanceOf(StoreUnavailable)
  expect(await refusal(store.read.chargePointByIdentity("CP-1"))).toBeInstanceOf(StoreUnavailable)
  expect(await refusal(store.setting("any"))).toBeInstanceOf(StoreUnavailable)
  await until("trouble is told", () => store.troubleSince() !== null)

  await server.restart()
  await until("the store is back", () => store.troubleSince() === null)
  expect(await store.read.chargePointByIdentity("CP-1")).toMatchObject({ id: "cp1" })
  expect(await store.change("createIdTag", { idTag: idTagRow("04A1") })).toMatchObject({ idTag: { idTag: "04A1" } })
})

const unused = () => Promise.reject(new Error("not for this place"))
