import { expect, test } from "bun:test"
import fc from "fast-check"
import type { CommandState } from "../../src/facts/rows.ts"
import { difference, updated } from "../../src/facts/local-list.ts"
import type { AuthorizationData } from "../../src/ocpp/types.ts"
import { chargePointRow, minute } from "../support/charging.ts"
import { endOf, sentCommand } from "../support/ended-command.ts"
import { MemoryFacts } from "../support/facts.ts"

const entry = (idTag: string, status: "Accepted" | "Blocked" = "Accepted"): AuthorizationData => ({
  idTag,
  idTagInfo: { status },
})

function factsWithChargePoint() {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  return facts
}

let count = 0
/** A command that was sent and has ended so. */
async function ended(
  facts: MemoryFacts,
  action: string,
  request: object,
  confirmation: object | null,
  state: Extract<CommandState, "Answered" | "Failed" | "TimedOut"> = "Answered",
) {
  const command = sentCommand(`c${++count}`, action, request)
  await facts.change("recordCommand", { command })
  await facts.change("endCommand", { ...endOf(command, confirmation, minute(count)), state })
}

const send = (
  facts: MemoryFacts,
  updateType: "Full" | "Differential",
  listVersion: number,
  localAuthorizationList: AuthorizationData[],
  status = "Accepted",
) => ended(facts, "SendLocalList", { updateType, listVersion, localAuthorizationList }, { status })

const list = (facts: MemoryFacts) => {
  const [row] = facts.rows("localLists")
  return row && { ...row, entries: row.entries === null ? null : JSON.parse(row.entries) }
}

test("a full list that was accepted is what the charge point holds", async () => {
  const facts = factsWithChargePoint()
  await send(facts, "Full", 3, [entry("B"), entry("a")])
  expect(list(facts)).toMatchObject({ listVersion: 3, highestVersion: 0, entries: [entry("a"), entry("B")] })
  await send(facts, "Full", 4, [])
  expect(list(facts)).toMatchObject({ listVersion: 4, entries: [] })
})

test("a differential update adds, changes and deletes", async () => {
  const facts = factsWithChargePoint()
  await send(facts, "Full", 1, [entry("A"), entry("B")])
  await send(facts, "Differential", 2, [entry("a", "Blocked"), { idTag: "B" }, entry("C")])
  expect(list(facts)).toMatchObject({ listVersion: 2, entries: [entry("a", "Blocked"), entry("C")] })
})

test("a differential update of an unknown list leaves its entries unknown", async () => {
  const facts = factsWithChargePoint()
  await send(facts, "Differential", 2, [entry("A")])
  expect(list(facts)).toMatchObject({ listVersion: 2, entries: null })
})

test.each(["Failed", "NotSupported", "VersionMismatch"])(
  "an update answered %s is not what it holds",
  async (status) => {
    const facts = factsWithChargePoint()
    await send(facts, "Full", 1, [entry("A")])
    await send(facts, "Differential", 2, [entry("B")], status)
    const expected = {
      Failed: { listVersion: 1, entries: [entry("A")] },
      NotSupported: { listVersion: -1, entries: [] },
      VersionMismatch: { listVersion: null, entries: null },
    }[status]
    expect(list(facts)).toMatchObject({ ...expected, lastStatus: status, lastStatusAt: minute(count) })
  },
)

test("after a list that was never answered nothing is known for sure; one that never left changes nothing", async () => {
  const facts = factsWithChargePoint()
  await send(facts, "Full", 1, [entry("A")])
  await ended(facts, "SendLocalList", { updateType: "Full", listVersion: 2 }, null, "Failed")
  expect(list(facts)).toMatchObject({ listVersion: 1, entries: [entry("A")] })
  await ended(facts, "SendLocalList", { updateType: "Full", listVersion: 2 }, null, "TimedOut")
  expect(list(facts)).toMatchObject({ listVersion: null, entries: null })
})

test("a version that the charge point tells keeps the entries only where it is the believed one", async () => {
  const facts = factsWithChargePoint()
  await send(facts, "Full", 7, [entry("A")])
  await ended(facts, "GetLocalListVersion", {}, { listVersion: 7 })
  expect(list(facts)).toMatchObject({ listVersion: 7, entries: [entry("A")] })
  await ended(facts, "GetLocalListVersion", {}, { listVersion: 12 })
  expect(list(facts)).toMatchObject({ listVersion: 12, highestVersion: 12, entries: null })
})

test.each([0, -1])("version %d is an empty list or none, and no error", async (listVersion) => {
  const facts = factsWithChargePoint()
  await ended(facts, "GetLocalListVersion", {}, { listVersion })
  expect(list(facts)).toMatchObject({ listVersion, highestVersion: 0, entries: [] })
})

test("versions only grow, over what was sent, told, or asked for by number", async () => {
  const facts = factsWithChargePoint()
  const take = (listVersion: number | null = null) =>
    facts.change("takeListVersion", { organisationId: "default", chargePointId: "cp1", listVersion })
  expect([await take(), await take(), await take(10), await take(), await take(-1), await take()]).toEqual(
    [1, 2, 10, 11, -1, 12].map((listVersion) => ({ listVersion })),
  )
  await ended(facts, "GetLocalListVersion", {}, { listVersion: 40 })
  expect(await take()).toEqual({ listVersion: 41 })
})

test("each change of what it holds is told once, an equal answer is not", async () => {
  const facts = factsWithChargePoint()
  const told = () => facts.events.filter((event) => event.type === "ChargePoint").length
  await ended(facts, "GetLocalListVersion", {}, { listVersion: 0 })
  expect(told()).toBe(1)
  expect(facts.events.at(-1)).toMatchObject({ type: "ChargePoint", kind: "LocalList", chargePoint: { id: "cp1" } })
})

test("a differential update made of two lists turns the one into the other", () => {
  const lists = fc.uniqueArray(
    fc.record({ idTag: fc.constantFrom("A", "b", "C", "dd", "E"), status: fc.constantFrom("Accepted", "Blocked") }),
    { selector: ({ idTag }) => idTag },
  )
  const entries = (rows: { idTag: string; status: string }[]) =>
    updated(
      [],
      rows.map(({ idTag, status }) => entry(idTag, status as "Accepted" | "Blocked")),
    )
  fc.assert(
    fc.property(lists, lists, (one, other) => {
      const [from, to] = [entries(one), entries(other)]
      expect(updated(from, difference(from, to))).toEqual(to)
    }),
  )
})
