/** Opening, trouble, closing and being killed. */
import { expect, test } from "bun:test"
import { StoreUnavailable } from "../../../src/services/ports.ts"
import { chargePointRow, idTagRow } from "../../support/charging.ts"
import { until } from "../../support/until.ts"
import { type OpenPlace, refusal } from "../place.ts"
import { startWriting } from "./writing-process.ts"

export function lifeContract(openPlace: OpenPlace): void {
  test("a stalled disk stops neither the event loop nor questions", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const release = await place.stall()
    let committed = false
    const change = store.change("createIdTag", { idTag: idTagRow("04A1") }).then(() => {
      committed = true
    })
    for (let turn = 0; turn < 100; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(await store.read.chargePointByIdentity("CP-1")).toMatchObject({ id: "cp1" })
    }
    expect(committed).toBe(false)
    await release()
    await change
    expect(await store.read.idTagsByKeys("default", ["04a1"])).toHaveLength(1)
  })

  test("a commit that is stuck is trouble since it began, and none any more when it succeeds", async () => {
    await using place = await openPlace()
    let now = 5_000_000
    const store = await place.open({ now: () => now })
    expect(store.troubleSince()).toBeNull()
    const release = await place.stall()
    const change = store.change("createIdTag", { idTag: idTagRow("04A1") })
    const trouble = await until("trouble is told", () => {
      now += 100
      return store.troubleSince() ?? undefined
    })
    expect(trouble).toBeWithin(5_000_000, now)
    await release()
    await change
    expect(store.troubleSince()).toBeNull()
  })

  test("kill -9 of a process that writes loses nothing that was acknowledged, nor tells it twice", async () => {
    await using place = await openPlace()
    await using writing = await startWriting(place.options)
    await writing.acknowledged(300)
    const acknowledged = await writing.kill()
    const store = await place.open()
    const stored = await store.read.chargePointsByIds(acknowledged)
    expect(stored.map(({ id }) => id).sort()).toEqual(acknowledged.sort())
    const entries = await store.unpublished(10_000, Number.MAX_SAFE_INTEGER)
    const told = entries.flatMap(({ events }) => events.map(({ subject }) => subject))
    expect(new Set(told).size).toBe(told.length)
    expect(told).toEqual(expect.arrayContaining(acknowledged.map((id) => `charge-point:${id}`)))
    expect(await store.read.countChargePoints("default", {})).toBe(told.length)
  })

  test("opening an existing database migrates nothing twice and keeps what is there", async () => {
    await using place = await openPlace()
    const first = await place.open()
    await first.change("createChargePoint", { chargePoint: chargePointRow() })
    await first.putSetting("generation", "one")
    const migrated = await place.query("SELECT name, at FROM migrations")
    await first[Symbol.asyncDispose]()
    const second = await place.open()
    expect(await place.query("SELECT name, at FROM migrations")).toEqual(migrated)
    expect(await second.read.chargePointByIdentity("CP-1")).toEqual(chargePointRow())
    expect(await second.setting("generation")).toBe("one")
    expect(await second.setting("unknown")).toBeUndefined()
  })

  test("a setting that nodes settle on keeps its first value", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const settled = await Promise.all(["one", "two", "three"].map((value) => store.settleSetting("name", value)))
    expect(new Set(settled).size).toBe(1)
    expect(await store.settleSetting("name", "four")).toBe(settled[0] ?? "")
    expect(await store.setting("name")).toBe(settled[0] ?? "")
  })

  test("closing commits what is on its way; closing twice is closing once; nothing comes in any more", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const changes = Array.from({ length: 50 }, (_, index) =>
      store.change("createIdTag", { idTag: idTagRow(`TAG-${index}`) }),
    )
    const closed = [store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]
    expect(await refusal(store.change("createIdTag", { idTag: idTagRow("late") }))).toBeInstanceOf(StoreUnavailable)
    await Promise.all([...changes, ...closed])
    const again = await place.open()
    expect((await again.read.idTags("default", {}, { first: 100 })).rows).toHaveLength(50)
  })
}
