/** Commands that wait: kept with what they will send, found in their order, and sent by exactly one. */
import { expect, test } from "bun:test"
import type { InputOf } from "../../../src/facts/catalogue.ts"
import type { CommandRow } from "../../../src/facts/rows.ts"
import type { Store } from "../../../src/services/ports.ts"
import { chargePointRow, minute } from "../../support/charging.ts"
import type { OpenPlace } from "../place.ts"

const queueing = (change: Partial<CommandRow> = {}): InputOf<"queueCommand"> => {
  const command: CommandRow = {
    id: "c1",
    organisationId: "default",
    chargePointId: "cp1",
    action: "Reset",
    request: "{}",
    state: "Queued",
    requestedBy: "tests",
    requestedAt: minute(0),
    deadlineAt: minute(61),
    expiresAt: minute(60),
    sentAt: null,
    answeredAt: null,
    confirmation: null,
    error: null,
    idempotencyKey: null,
    requestDigest: null,
    nodeId: null,
    ...change,
  }
  return { command, request: { commandId: command.id, organisationId: "default", sealed: `sealed ${command.id}` } }
}

const placeOf = (commandId: string, chargePointId = "cp1") => ({ organisationId: "default", commandId, chargePointId })

const send = (store: Store, commandId: string, nodeId = "n1") =>
  store.change("sendQueuedCommand", {
    ...placeOf(commandId),
    nodeId,
    epoch: 9,
    needsAcceptance: true,
    at: minute(1),
  })

async function acceptedChargePoints(store: Store, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const chargePoint = chargePointRow({ id, identity: id, acceptedAt: minute(-1), epoch: 1 })
    await store.change("createChargePoint", { chargePoint })
  }
}

export function commandQueueContract(openPlace: OpenPlace): void {
  test("the next to be sent is the oldest wish, with what it will send; what was sent is kept no longer", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await acceptedChargePoints(store, "cp1", "cp2")
    for (const [id, requestedAt, chargePointId] of [
      ["b", 1, "cp1"],
      ["z", 0, "cp2"],
      ["c", 1, "cp1"],
      ["a", 2, "cp1"],
    ] as const)
      await store.change("queueCommand", queueing({ id, requestedAt: minute(requestedAt), chargePointId }))
    const order: string[] = []
    for (let next = await store.read.nextQueuedCommand("cp1"); next; next = await store.read.nextQueuedCommand("cp1")) {
      expect(next).toMatchObject({ command: { state: "Queued" }, sealed: `sealed ${next.command.id}` })
      expect(Object.keys(next.command)).not.toContain("sealed")
      order.push(next.command.id)
      expect(await send(store, next.command.id)).toMatchObject({ isSent: true })
    }
    expect(order).toEqual(["b", "c", "a"])
    expect(await place.query("SELECT command_id FROM sealed_requests")).toEqual([{ command_id: "z" }])
    expect(await store.read.countQueuedCommands()).toBe(1)
  })

  test("of many that send and take back the same command at once, from all stores, exactly one succeeds", async () => {
    await using place = await openPlace()
    const stores = await Promise.all(Array.from({ length: place.stores }, () => place.open()))
    const [store] = stores
    await acceptedChargePoints(store!, "cp1")
    for (let round = 0; round < 10; round++) {
      const id = `c${round}`
      await store!.change("queueCommand", queueing({ id, requestedAt: minute(round) }))
      const outcomes = await Promise.all(
        stores.flatMap((each, node) => [
          send(each, id, `n${node}`).then((outcome) => "isSent" in outcome && outcome.isSent),
          each
            .change("dropQueuedCommand", { ...placeOf(id), state: "Cancelled", at: minute(1) })
            .then((outcome) => "moved" in outcome && outcome.moved),
        ]),
      )
      expect(outcomes.filter(Boolean)).toHaveLength(1)
    }
    expect(await place.query("SELECT command_id FROM sealed_requests")).toEqual([])
  })

  test("charge points for which something waits are told from others, those that can be spoken to from all", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await acceptedChargePoints(store, "cp1", "cp2", "cp3")
    const pending = chargePointRow({ id: "cp4", identity: "cp4", registrationStatus: "Pending" })
    await store.change("createChargePoint", { chargePoint: pending })
    for (const chargePointId of ["cp1", "cp2", "cp4"])
      await store.change("queueCommand", queueing({ id: chargePointId, chargePointId }))
    await store.change("queueCommand", queueing({ id: "again", chargePointId: "cp1" }))
    for (const chargePointId of ["cp1", "cp3", "cp4"])
      await store.change("goOnline", {
        organisationId: "default",
        chargePointId,
        nodeId: "n1",
        epoch: 5,
        at: minute(0),
      })
    expect((await store.read.chargePointsWithQueue(["cp1", "cp2", "cp3"])).sort()).toEqual(["cp1", "cp2"])
    expect(await store.read.chargePointsWithQueue(["cp3"])).toEqual([])
    expect(await store.read.chargePointsWithQueue()).toEqual(["cp1"])
  })

  test("what expired is found, oldest expiry first", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await acceptedChargePoints(store, "cp1")
    for (const expiry of [30, 10, 20])
      await store.change("queueCommand", queueing({ id: `c${expiry}`, expiresAt: minute(expiry) }))
    expect((await store.read.expiredCommands(minute(20), 9)).map(({ id }) => id)).toEqual(["c10", "c20"])
    expect((await store.read.expiredCommands(minute(99), 1)).map(({ id }) => id)).toEqual(["c10"])
  })

  test("each charge point's commands are a list of its own, by state too", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await acceptedChargePoints(store, "cp1", "cp2")
    for (const [id, chargePointId] of [
      ["a", "cp1"],
      ["b", "cp1"],
      ["c", "cp1"],
      ["d", "cp2"],
    ] as const)
      await store.change("queueCommand", queueing({ id, chargePointId }))
    await send(store, "a")
    const of = async (state?: CommandRow["state"][]) => {
      const lists = await store.read.commandsOfEach(["cp1", "cp2", "cp3"], state ? { state } : {}, { first: 2 })
      return [...lists].map(([, { rows, hasNextPage }]) => [rows.map(({ row }) => row.id).join(""), hasNextPage])
    }
    expect(await of()).toEqual([
      ["cb", true],
      ["d", false],
      ["", false],
    ])
    expect(await of(["Queued"])).toEqual([
      ["cb", false],
      ["d", false],
      ["", false],
    ])
    expect(await of(["Sent", "Answered"])).toEqual([
      ["a", false],
      ["", false],
      ["", false],
    ])
    const unfinished = await store.read.commands("default", { state: ["Sent", "Queued"] }, { first: 9 })
    expect(unfinished.rows.map(({ row }) => row.id)).toEqual(["d", "c", "b", "a"])
  })
}
