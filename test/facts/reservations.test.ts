import { expect, test } from "bun:test"
import type { InputOf } from "../../src/facts/catalogue.ts"
import type { CommandState, ReservationRow } from "../../src/facts/rows.ts"
import { chargePointRow, idTagRow, minute, start, time } from "../support/charging.ts"
import { endOf, sentCommand } from "../support/ended-command.ts"
import { MemoryFacts, together } from "../support/facts.ts"

const PLACE = { organisationId: "default", chargePointId: "cp1" }

function factsWithChargePoint() {
  const facts = new MemoryFacts()
  facts.given({
    chargePoints: [chargePointRow()],
    idTags: [
      idTagRow("Alice", { parentIdTag: "Family" }),
      idTagRow("Bob", { parentIdTag: "family" }),
      idTagRow("Carol"),
    ],
  })
  return facts
}

const wish = (change: Partial<InputOf<"requestReservation">> = {}): InputOf<"requestReservation"> => ({
  id: crypto.randomUUID(),
  ...PLACE,
  reservationId: null,
  connectorId: 1,
  idTag: "Alice",
  idTagKey: "alice",
  parentIdTag: null,
  expiryDate: minute(30),
  requestedBy: "operator",
  requestedAt: minute(-10),
  ...change,
})

async function requested(
  facts: MemoryFacts,
  change: Partial<InputOf<"requestReservation">> = {},
): Promise<ReservationRow> {
  const outcome = await facts.change("requestReservation", wish(change))
  if ("notFound" in outcome) throw new Error("the charge point is not there")
  return outcome.reservation
}

let count = 0
/** A command about the reservation that has ended so. */
async function ended(
  facts: MemoryFacts,
  action: "ReserveNow" | "CancelReservation",
  { reservationId, id = `c${++count}` }: { reservationId: number; id?: string },
  status: string | null,
  state: Extract<CommandState, "Answered" | "Failed" | "TimedOut"> = "Answered",
  error: InputOf<"endCommand">["error"] = null,
) {
  const command = sentCommand(id, action, { reservationId }, minute(-10))
  await facts.change("recordCommand", { command })
  await facts.change("endCommand", { ...endOf(command, status === null ? null : { status }, minute(-9)), state, error })
}

async function active(facts: MemoryFacts, change: Partial<InputOf<"requestReservation">> = {}) {
  const reservation = await requested(facts, change)
  await ended(facts, "ReserveNow", reservation, "Accepted")
  return reservation
}

const states = (facts: MemoryFacts) => facts.rows("reservations").map(({ state }) => state)
const told = (facts: MemoryFacts) =>
  facts.events.flatMap((event) => (event.type === "ChargePoint" && event.reservation ? event.reservation.state : []))

test("each reservation gets a number of its own, also two of one group; a given number is taken as it is", async () => {
  const facts = factsWithChargePoint()
  await facts.group(together("requestReservation", wish(), wish(), wish({ reservationId: -1 })))
  await requested(facts)
  expect(facts.rows("reservations").map(({ reservationId }) => reservationId)).toEqual([1, 2, -1, 3])
})

test("it is active once the charge point accepts it", async () => {
  const facts = factsWithChargePoint()
  await active(facts)
  expect(facts.rows("reservations")).toMatchObject([{ state: "Active", acceptedAt: minute(-9), endedAt: null }])
  expect(told(facts)).toEqual(["Requested", "Active"])
})

test.each(["Faulted", "Occupied", "Rejected", "Unavailable"])(
  "answered %s it is refused, with that reason",
  async (status) => {
    const facts = factsWithChargePoint()
    await ended(facts, "ReserveNow", await requested(facts), status)
    expect(facts.rows("reservations")).toMatchObject([{ state: "Refused", endReason: status, endedAt: minute(-9) }])
  },
)

test("a request that never left, or met a CALLERROR, is refused; one without an answer stays open", async () => {
  const facts = factsWithChargePoint()
  const [first, second, third] = [await requested(facts), await requested(facts), await requested(facts)]
  const offline = { code: "Offline", description: "" } as const
  const callError = { code: "CallError", callErrorCode: "NotSupported", description: "" } as const
  await ended(facts, "ReserveNow", first, null, "Failed", offline)
  await ended(facts, "ReserveNow", second, null, "Failed", callError)
  await ended(facts, "ReserveNow", third, null, "TimedOut", { code: "Timeout", description: "" })
  expect(facts.rows("reservations").map(({ state, endReason }) => [state, endReason])).toEqual([
    ["Refused", "Offline"],
    ["Refused", "NotSupported"],
    ["Requested", null],
  ])
})

test("a known number replaces the reservation there was, once the charge point accepts the new one", async () => {
  const facts = factsWithChargePoint()
  const { reservationId } = await active(facts)
  const again = await requested(facts, { reservationId, requestedAt: minute(-5) })
  expect(states(facts)).toEqual(["Active", "Requested"])
  await ended(facts, "ReserveNow", again, "Accepted")
  expect(facts.rows("reservations")).toMatchObject([{ state: "Cancelled", endReason: "Replaced" }, { state: "Active" }])
})

test("of two wishes under one number each gets the answer to its own request", async () => {
  const facts = factsWithChargePoint()
  const first = await requested(facts, { reservationId: 7 })
  const second = await requested(facts, { reservationId: 7, connectorId: 2, requestedAt: minute(-9) })
  await ended(facts, "ReserveNow", first, "Accepted")
  expect(states(facts)).toEqual(["Active", "Requested"])
  await ended(facts, "ReserveNow", second, "Rejected")
  expect(states(facts)).toEqual(["Active", "Refused"])
})

test("what may be held after a timeout is replaced, and cancelled, like what is known to be held", async () => {
  const facts = factsWithChargePoint()
  const first = await requested(facts, { reservationId: 7 })
  await ended(facts, "ReserveNow", first, null, "TimedOut", { code: "Timeout", description: "" })
  await active(facts, { reservationId: 7, requestedAt: minute(-9) })
  expect(facts.rows("reservations")).toMatchObject([{ state: "Cancelled", endReason: "Replaced" }, { state: "Active" }])
})

test("a cancellation ends nothing that the charge point has yet to be asked for", async () => {
  const facts = factsWithChargePoint()
  const { reservationId } = await active(facts)
  const again = await requested(facts, { reservationId, requestedAt: minute(-9) })
  await ended(facts, "CancelReservation", { reservationId }, "Accepted")
  expect(states(facts)).toEqual(["Cancelled", "Requested"])
  await ended(facts, "ReserveNow", again, "Accepted")
  expect(states(facts)).toEqual(["Cancelled", "Active"])
})

test("one whose command never came to be is refused; one that the charge point knows of is not", async () => {
  const facts = factsWithChargePoint()
  const [never, held] = [await requested(facts), await active(facts)]
  const withdraw = (id: string) =>
    facts.change("withdrawReservation", { ...PLACE, id, reason: "NotAllowedNow", at: minute(-9) })
  expect(await withdraw(never.id)).toEqual({ withdrawn: true })
  expect(await withdraw(held.id)).toEqual({ withdrawn: false })
  expect(facts.rows("reservations")).toMatchObject([
    { state: "Refused", endReason: "NotAllowedNow", endedAt: minute(-9) },
    { state: "Active" },
  ])
})

test("cancelled by its number where the charge point agrees; another number, or a refusal, changes nothing", async () => {
  const facts = factsWithChargePoint()
  const { reservationId } = await active(facts)
  await ended(facts, "CancelReservation", { reservationId: reservationId + 1 }, "Accepted")
  await ended(facts, "CancelReservation", { reservationId }, "Rejected")
  expect(states(facts)).toEqual(["Active"])
  await ended(facts, "CancelReservation", { reservationId }, "Accepted")
  expect(facts.rows("reservations")).toMatchObject([{ state: "Cancelled", endReason: null }])
})

test("used by the transaction that names it, whatever was believed of it", async () => {
  const facts = factsWithChargePoint()
  const expired = await active(facts, { expiryDate: minute(-1) })
  await facts.change("expireReservation", { ...PLACE, id: expired.id, at: minute(0) })
  expect(states(facts)).toEqual(["Expired"])
  const { transactionId } = await facts.change(
    "startTransaction",
    start({ idTag: "Nobody", connectorId: 7, reservationId: expired.reservationId, timestamp: time(-2) }),
  )
  expect(facts.rows("reservations")).toMatchObject([{ state: "Used", endReason: null, transactionId }])
})

test.each([
  ["the same idTag in another letter case", {}, { idTag: "ALICE" }, "Used"],
  ["another idTag of the reserved group", { parentIdTag: "FAMILY" }, { idTag: "Bob" }, "Used"],
  ["another idTag of its group where no group is reserved", {}, { idTag: "Bob" }, "Active"],
  ["a stranger", { parentIdTag: "Family" }, { idTag: "Carol" }, "Active"],
  ["the same idTag on another connector", {}, { connectorId: 2 }, "Active"],
  ["the same idTag, the whole charge point being reserved", { connectorId: 0 }, { connectorId: 2 }, "Used"],
  ["a start of before the reservation that arrives late", {}, { timestamp: time(-11) }, "Active"],
  ["a start after its time", { expiryDate: minute(-1) }, {}, "Active"],
  ["another number", {}, { reservationId: 99 }, "Active"],
])("a transaction of %s", async (_who, reserved, started, state) => {
  const facts = factsWithChargePoint()
  await active(facts, reserved)
  await facts.change("startTransaction", start({ idTag: "Alice", ...started }))
  expect(states(facts)).toEqual([state as ReservationRow["state"]])
})

test("of two under one number a transaction uses the one that is kept, not the one that was refused", async () => {
  const facts = factsWithChargePoint()
  const { reservationId } = await active(facts)
  const again = await requested(facts, { reservationId, requestedAt: minute(-9) })
  await ended(facts, "ReserveNow", again, "Rejected")
  await facts.change("startTransaction", start({ reservationId }))
  expect(states(facts)).toEqual(["Used", "Refused"])
})

test("a repeated StartTransaction uses nothing a second time", async () => {
  const facts = factsWithChargePoint()
  const { reservationId } = await active(facts)
  await facts.group(together("startTransaction", start({ reservationId }), start({ reservationId })))
  expect(told(facts)).toEqual(["Requested", "Active", "Used"])
})

test("it expires at its time and not before, once", async () => {
  const facts = factsWithChargePoint()
  const { id } = await active(facts)
  const expire = (at: number) => facts.change("expireReservation", { ...PLACE, id, at })
  expect(await expire(minute(30) - 1)).toEqual({ expired: false })
  expect(await expire(minute(30))).toEqual({ expired: true })
  expect(await expire(minute(31))).toEqual({ expired: false })
  expect(await facts.change("expireReservation", { ...PLACE, organisationId: "other", id, at: minute(31) })).toEqual({
    expired: false,
  })
  expect(told(facts)).toEqual(["Requested", "Active", "Expired"])
})

test.each([
  [1, "Faulted", ["Cancelled", "Active", "Active"]],
  [2, "Unavailable", ["Active", "Cancelled", "Active"]],
  [0, "Unavailable", ["Cancelled", "Cancelled", "Cancelled"]],
  [1, "Occupied", ["Active", "Active", "Active"]],
] as const)("connector %d reported %s ends what can no longer be kept", async (connectorId, status, expected) => {
  const facts = factsWithChargePoint()
  for (const reserved of [1, 2, 0]) await active(facts, { connectorId: reserved })
  await facts.change("reportStatus", {
    ...PLACE,
    epoch: 1,
    receivedAt: minute(0),
    statusAt: minute(0),
    request: { connectorId, errorCode: "NoError", status: status as "Faulted" },
  })
  expect(states(facts)).toEqual([...expected])
})

test("a deleted charge point keeps nothing for anybody", async () => {
  const facts = factsWithChargePoint()
  await active(facts)
  await facts.change("deleteChargePoint", { ...PLACE, at: minute(0) })
  expect(facts.rows("reservations")).toMatchObject([{ state: "Cancelled", endReason: "Deleted" }])
  const late = await facts.change("requestReservation", wish())
  expect(late).toEqual({ notFound: true })
})
