/** What is there now, read with how far the stories had come. */
import { expect, test } from "bun:test"
import { chargePointSubject } from "../../../src/facts/events.ts"
import type { CommandRow } from "../../../src/facts/rows.ts"
import type { Store } from "../../../src/services/ports.ts"
import { chargePointRow, meterValue, meterValues, start, stop, time } from "../../support/charging.ts"
import type { OpenPlace } from "../place.ts"

const versions = (of: Record<string, number>) =>
  new Map(Object.entries(of).map(([id, version]) => [chargePointSubject(id), version]))

/** Charge points cp1 and cp2 of ours, other of another organisation; each has a story. */
async function furnish(store: Store): Promise<void> {
  for (const [id, organisationId] of [
    ["cp1", "default"],
    ["cp2", "default"],
    ["other", "other"],
  ] as const) {
    const chargePoint = chargePointRow({ id, organisationId, identity: id.toUpperCase() })
    await store.change("createChargePoint", { chargePoint })
  }
  await store.change("updateChargePoint", {
    organisationId: "default",
    chargePointId: "cp2",
    at: 1,
    change: { registrationStatus: "Rejected" },
  })
}

export function presentContract(openPlace: OpenPlace): void {
  const opened = async () => {
    const place = await openPlace()
    const store = await place.open()
    await place.query("INSERT INTO organisations (id, name, created_at) VALUES ('other', 'Other', 0) RETURNING id")
    await furnish(store)
    return { store, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
  }

  test("the charge points there are come with the versions of all, be they within the filter or not", async () => {
    await using place = await opened()
    const { read } = place.store
    const all = await read.presentChargePoints("default", {})
    expect(all.rows.map(({ id }) => id)).toEqual(["cp1", "cp2"])
    expect(all.versions).toEqual(versions({ cp1: 1, cp2: 2 }))
    const rejected = await read.presentChargePoints("default", { registrationStatus: "Rejected" })
    expect(rejected.rows.map(({ id }) => id)).toEqual(["cp2"])
    expect(rejected.versions).toEqual(versions({ cp1: 1, cp2: 2 }))
    const named = await read.presentChargePoints("default", { identities: ["CP1", "OTHER"], online: true })
    expect(named).toEqual({ rows: [], versions: versions({ cp1: 1 }) })
  })

  test("the transactions that run come with the versions of the charge points asked for", async () => {
    await using place = await opened()
    const { store } = place
    await store.change("startTransaction", start({ connectorId: 2 }, {}, "over"))
    await store.change("stopTransaction", stop({ transactionId: 1 }))
    await store.change("startTransaction", start({}, {}, "runs"))
    await store.change("startTransaction", start({}, { chargePointId: "cp2" }, "runs too"))
    const ids = async (filter: Parameters<typeof store.read.presentTransactions>[1]) => {
      const present = await store.read.presentTransactions("default", filter)
      return { ids: present.rows.map(({ transactionId }) => transactionId).sort(), versions: present.versions }
    }
    expect(await ids({})).toEqual({ ids: [2, 3], versions: versions({ cp1: 4, cp2: 3 }) })
    expect(await ids({ chargePointIds: ["cp1"] })).toEqual({ ids: [2], versions: versions({ cp1: 4 }) })
    expect((await ids({ state: ["Ended"] })).ids).toEqual([])
    expect((await store.read.presentTransactions("other", {})).rows).toEqual([])
  })

  test("the commands that have not ended are there, of everybody, of a charge point, or one of them", async () => {
    await using place = await opened()
    const { store } = place
    for (const [id, chargePointId, state] of [
      ["sent", "cp1", "Sent"],
      ["ended", "cp1", "Failed"],
      ["elsewhere", "cp2", "Sent"],
    ] as const) {
      await store.change("recordCommand", { command: command(id, chargePointId, state) })
    }
    const ids = async (of: Parameters<typeof store.read.presentCommands>[1], organisationId = "default") => {
      const present = await store.read.presentCommands(organisationId, of)
      return { ids: present.rows.map(({ id }) => id).sort(), versions: present.versions }
    }
    expect(await ids({})).toEqual({ ids: ["elsewhere", "sent"], versions: versions({ cp1: 3, cp2: 3 }) })
    expect(await ids({ chargePointId: "cp1" })).toEqual({ ids: ["sent"], versions: versions({ cp1: 3 }) })
    expect(await ids({ commandId: "elsewhere" })).toEqual({ ids: ["elsewhere"], versions: versions({ cp2: 3 }) })
    expect((await ids({ commandId: "ended" })).ids).toEqual([])
    expect((await ids({ commandId: "sent", chargePointId: "cp2" })).ids).toEqual([])
    expect((await ids({ commandId: "sent" }, "other")).ids).toEqual([])
  })

  test("each connector's newest readings are named, or those of one transaction", async () => {
    await using place = await opened()
    const { store } = place
    const { transactionId } = await store.change("startTransaction", start({ timestamp: time(3) }, {}, "runs"))
    for (const [connectorId, during, minutes] of [
      [1, null, [1, 2]],
      [1, transactionId, [4, 5]],
      [2, null, [7]],
    ] as const) {
      const values = minutes.map((minute) => meterValue(minute, minute * 10))
      await store.change("reportMeterValues", meterValues({ connectorId, transactionId: during }, values))
    }
    const named = async (of: Parameters<typeof store.read.presentReadings>[1], organisationId = "default") =>
      (await store.read.presentReadings(organisationId, of, 3)).rows
        .map(({ connectorId, at, transactionId: during }) => `${connectorId} ${new Date(at).toISOString()} ${during}`)
        .sort()
    const all = [`1 ${time(2)} null`, `1 ${time(4)} 1`, `1 ${time(5)} 1`, `2 ${time(7)} null`]
    expect(await named({})).toEqual(all)
    expect(await named({ chargePointId: "cp1" })).toEqual(all)
    expect(await named({ chargePointId: "cp2" })).toEqual([])
    expect(await named({ transactionId })).toEqual([`1 ${time(4)} 1`, `1 ${time(5)} 1`])
    expect(await named({ transactionId, chargePointId: "cp2" })).toEqual([])
    expect(await named({ chargePointId: "cp1" }, "other")).toEqual([])
    expect(await named({ transactionId }, "other")).toEqual([])
  })

  test("what is written while the present is read is in both, the rows and the versions, or in neither", async () => {
    await using place = await opened()
    const { store } = place
    const rename = (heartbeatIntervalS: number) =>
      store.change("updateChargePoint", {
        organisationId: "default",
        chargePointId: "cp1",
        at: 1,
        change: { heartbeatIntervalS },
      })
    // The version grows with the interval: version n tells of interval n - 1.
    const writing = (async () => {
      for (let interval = 1; interval <= 60; interval++) await rename(interval)
    })()
    for (let round = 0; round < 25; round++) {
      const { rows, versions: at } = await store.read.presentChargePoints("default", {})
      const { heartbeatIntervalS } = rows.find(({ id }) => id === "cp1")!
      expect(at.get(chargePointSubject("cp1"))).toBe((heartbeatIntervalS ?? 0) + 1)
    }
    await writing
  })

  test("the wire log is read on from a frame", async () => {
    await using place = await opened()
    const { store } = place
    const frame = { organisationId: "default", chargePointId: "cp1", at: 1, direction: "FromChargePoint" } as const
    const rest = { messageType: "Call", uniqueId: "1", action: "Heartbeat", text: "[]" } as const
    const rows = await store.addMessages([
      { ...frame, ...rest },
      { ...frame, ...rest, chargePointId: "cp2" },
      { ...frame, ...rest },
    ])
    const [first, , third] = rows
    expect(await store.read.messagesFrom("cp1", first!.id, 9)).toEqual([first!, third!])
    expect(await store.read.messagesFrom("cp1", first!.id + 1, 9)).toEqual([third!])
    expect(await store.read.messagesFrom("cp1", 0, 1)).toEqual([first!])
  })
}

const command = (id: string, chargePointId: string, state: CommandRow["state"]): CommandRow => ({
  id,
  organisationId: "default",
  chargePointId,
  action: "Reset",
  request: "{}",
  state,
  requestedBy: "tests",
  requestedAt: 1,
  deadlineAt: 2,
  expiresAt: null,
  sentAt: 1,
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: null,
})
