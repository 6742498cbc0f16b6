import { expect, test } from "bun:test"
import type { InputOf } from "../../src/facts/catalogue.ts"
import type { CommandRow, ConfigurationKeyRow } from "../../src/facts/rows.ts"
import { caller, chargePointRow, minute } from "../support/charging.ts"
import { MemoryFacts, together } from "../support/facts.ts"

const command = (change: Partial<CommandRow> = {}): CommandRow => ({
  id: "c1",
  organisationId: "default",
  chargePointId: "cp1",
  action: "GetConfiguration",
  request: "{}",
  state: "Sent",
  requestedBy: "operator",
  requestedAt: minute(0),
  deadlineAt: minute(1),
  expiresAt: null,
  sentAt: minute(0),
  answeredAt: null,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: "n1",
  ...change,
})

const configurationKey = (change: Partial<ConfigurationKeyRow> = {}): ConfigurationKeyRow => ({
  organisationId: "default",
  chargePointId: "cp1",
  key: "HeartbeatInterval",
  value: "60",
  readonly: false,
  known: true,
  rebootRequired: false,
  reportedAt: minute(1),
  ...change,
})

const ending = (change: Partial<InputOf<"endCommand">> = {}): InputOf<"endCommand"> => ({
  organisationId: "default",
  commandId: "c1",
  chargePointId: "cp1",
  state: "Answered",
  at: minute(1),
  confirmation: "{}",
  error: null,
  configurationKeys: [],
  ...change,
})

function factsWithChargePoint() {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  return facts
}
const told = (facts: MemoryFacts) =>
  facts.events.map((event) => (event.type === "Command" ? event.command.state : "kind" in event ? event.kind : ""))

test("a command is told when it is recorded and when it ends", async () => {
  const facts = factsWithChargePoint()
  expect(await facts.change("recordCommand", { command: command() })).toMatchObject({ repeated: false })
  expect(await facts.change("endCommand", ending())).toMatchObject({ moved: true, command: { state: "Answered" } })
  expect(facts.rows("commands")).toMatchObject([{ answeredAt: minute(1), confirmation: "{}" }])
  expect(told(facts)).toEqual(["Sent", "Answered"])
  expect(facts.events[0]).toMatchObject({ subject: "charge-point:cp1" })
})

test("a command that has ended stays as it is", async () => {
  const facts = factsWithChargePoint()
  await facts.change("recordCommand", { command: command() })
  await facts.change("endCommand", ending({ state: "TimedOut", confirmation: null }))
  const late = await facts.change("endCommand", ending({ configurationKeys: [configurationKey()] }))
  expect(late).toMatchObject({ moved: false, command: { state: "TimedOut" } })
  expect(facts.rows("configurationKeys")).toBeEmpty()
  expect(told(facts)).toEqual(["Sent", "TimedOut"])
})

test("a failure keeps its reason", async () => {
  const facts = factsWithChargePoint()
  await facts.change("recordCommand", { command: command() })
  const error = { code: "CallError", callErrorCode: "NotSupported", description: "no" } as const
  await facts.change("endCommand", ending({ state: "Failed", confirmation: null, error }))
  expect(facts.rows("commands")).toMatchObject([{ state: "Failed", error: JSON.stringify(error) }])
})

test("a client that repeats itself gets the stored command back, also within one commit group", async () => {
  const facts = factsWithChargePoint()
  const one = command({ id: "c1", idempotencyKey: "k" })
  const again = command({ id: "c2", idempotencyKey: "k" })
  const elsewhere = command({ id: "c3", idempotencyKey: "k", organisationId: "other" })
  const outcomes = await facts.group(
    together("recordCommand", { command: one }, { command: again }, { command: elsewhere }),
  )
  expect(outcomes).toEqual([
    { command: one, repeated: false },
    { command: one, repeated: true },
    { command: elsewhere, repeated: false },
  ])
})

test("another organisation's command is not there", async () => {
  const facts = factsWithChargePoint()
  await facts.change("recordCommand", { command: command() })
  expect(await facts.change("endCommand", ending({ organisationId: "other" }))).toEqual({ notFound: true })
  expect(await facts.change("endCommand", ending({ commandId: "c9" }))).toEqual({ notFound: true })
})

/** A command answered with what it teaches. */
async function learn(facts: MemoryFacts, id: string, action: string, ...configurationKeys: ConfigurationKeyRow[]) {
  await facts.change("recordCommand", { command: command({ id, action }) })
  await facts.change("endCommand", ending({ commandId: id, configurationKeys }))
}

test("configuration keys are taken over, and told only when they changed", async () => {
  const facts = factsWithChargePoint()
  const unknown = configurationKey({ key: "NoSuchKey", value: null, known: false })
  await learn(facts, "c1", "GetConfiguration", configurationKey(), unknown)
  await learn(facts, "c2", "GetConfiguration", configurationKey({ reportedAt: minute(5) }))
  await learn(facts, "c3", "GetConfiguration", configurationKey({ value: "30" }))
  expect(facts.rows("configurationKeys")).toMatchObject([{ value: "30" }, { key: "NoSuchKey", known: false }])
  expect(told(facts).filter((kind) => kind === "Configuration")).toHaveLength(2)
})

test("a key waits for the reboot until the charge point boots or the key is set anew", async () => {
  const facts = factsWithChargePoint()
  const waits = () => facts.rows("configurationKeys").map((row) => row.rebootRequired)
  await learn(facts, "c1", "ChangeConfiguration", configurationKey({ rebootRequired: true }))
  await learn(facts, "c2", "GetConfiguration", configurationKey({ value: "old until then" }))
  expect(waits()).toEqual([true])
  await facts.change("reportBoot", { ...caller(), request: { chargePointVendor: "V", chargePointModel: "M" } })
  expect(waits()).toEqual([false])
  await learn(facts, "c3", "ChangeConfiguration", configurationKey({ rebootRequired: true }))
  await learn(facts, "c4", "ChangeConfiguration", configurationKey())
  expect(waits()).toEqual([false])
})

test("what comes too late for a deleted charge point leaves no configuration behind", async () => {
  const facts = factsWithChargePoint()
  await facts.change("recordCommand", { command: command() })
  await facts.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: minute(1) })
  expect(await facts.change("endCommand", ending({ configurationKeys: [configurationKey()] }))).toMatchObject({
    moved: true,
  })
  expect(facts.rows("configurationKeys")).toBeEmpty()
})
