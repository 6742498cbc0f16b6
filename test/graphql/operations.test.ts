import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { CommandRow } from "../../src/facts/rows.ts"
import type { CommandWish } from "../../src/services/commands.ts"
import { BusUnavailable, type CommandResult } from "../../src/services/ports.ts"
import { CommandNotFound } from "../../src/services/refusals.ts"
import { chargePoint, type Data, type Rig, result, startRig } from "./rig.ts"

let rig: Rig
let token: string
/** What the API asked to be sent, and what shall come of it. */
let wishes: CommandWish[] = []
let outcome: (command: CommandRow) => CommandResult
/** What comes of taking a command back; undefined: there is none. */
let cancelled: { command: CommandRow; moved: boolean } | undefined

beforeAll(async () => {
  rig = await startRig({
    async cancel() {
      if (cancelled === undefined) throw new CommandNotFound()
      return cancelled
    },
    async commands({ organisationId, name }, wish) {
      wishes.push(wish)
      return outcome(
        command({ organisationId, requestedBy: name, chargePointId: wish.chargePointId, action: wish.action }),
      )
    },
  })
  token = await rig.token("Operator")
  await chargePoint(rig, "CP-1")
})
afterAll(() => rig[Symbol.asyncDispose]())

const command = (change: Partial<CommandRow>): CommandRow => ({
  id: "command-1",
  organisationId: "default",
  chargePointId: "cp",
  action: "Reset",
  request: "{}",
  state: "Answered",
  requestedBy: "test",
  requestedAt: 1,
  deadlineAt: 2,
  expiresAt: null,
  sentAt: 1,
  answeredAt: 1,
  confirmation: null,
  error: null,
  idempotencyKey: null,
  requestDigest: null,
  nodeId: null,
  ...change,
})

/** Performs an operation that the charge point answers so; what was asked to be sent, and what the operator was told. */
async function perform(name: string, input: Data, fields: string, confirmation: Data = { status: "Accepted" }) {
  wishes = []
  outcome = (row) => ({ kind: "Confirmed", command: row, confirmation })
  const told = await asked(name, input, fields)
  return { wishes, told }
}

const asked = (name: string, input: Data, fields = "status") => {
  const type = name.charAt(0).toUpperCase() + name.slice(1)
  return result(
    rig,
    token,
    `mutation ($input: ${type}Input!) {
      result: ${name}(input: $input) {
        __typename
        ... on ${type}Confirmation { ${fields} command { state action requestedBy chargePoint { identity } } }
        ... on CommandQueued { command { state } }
        ... on CallError { code description command { state } }
        ... on CallTimeout { command { state } }
        ... on ChargePointOffline { command { state } }
        ... on NotAllowedNow { reason }
        ... on InvalidInput { issues { path message } }
        ... on Error { message }
      }
    }`,
    { input: { chargePoint: "CP-1", ...input } },
  )
}

const profile = {
  chargingProfileId: 1,
  stackLevel: 0,
  chargingProfilePurpose: "TX_PROFILE",
  chargingProfileKind: "ABSOLUTE",
  recurrencyKind: null,
  validFrom: "2030-01-01T00:00:00+01:00",
  chargingSchedule: {
    chargingRateUnit: "A",
    startSchedule: "2030-01-01T00:00:00Z",
    chargingSchedulePeriod: [
      { startPeriod: 0, limit: 16.5 },
      { startPeriod: 60, limit: 6, numberPhases: 1 },
    ],
  },
}

test.each<[name: string, input: Data, request: Data, fields: string, confirmation: Data, told: Data]>([
  [
    "changeAvailability",
    { connectorId: 0, type: "INOPERATIVE" },
    { connectorId: 0, type: "Inoperative" },
    "status",
    { status: "Scheduled" },
    { status: "SCHEDULED" },
  ],
  [
    "changeConfiguration",
    { key: "Nobody knows", value: "" },
    { key: "Nobody knows", value: "" },
    "status",
    { status: "NotSupported" },
    { status: "NOT_SUPPORTED" },
  ],
  ["clearCache", {}, {}, "status", { status: "Rejected" }, { status: "REJECTED" }],
  [
    "dataTransfer",
    { vendorId: "org.example" },
    { vendorId: "org.example" },
    "status data",
    { status: "UnknownVendorId" },
    { status: "UNKNOWN_VENDOR_ID", data: null },
  ],
  [
    "dataTransfer",
    { vendorId: "v", messageId: "m", data: "" },
    { vendorId: "v", messageId: "m", data: "" },
    "status data",
    { status: "Accepted", data: "d" },
    { status: "ACCEPTED", data: "d" },
  ],
  [
    "getConfiguration",
    {},
    {},
    "configurationKey { key readonly value } unknownKey",
    { configurationKey: [{ key: "k", readonly: true }] },
    { configurationKey: [{ key: "k", readonly: true, value: null }], unknownKey: null },
  ],
  [
    "getConfiguration",
    { key: ["a"] },
    { key: ["a"] },
    "configurationKey { key } unknownKey",
    { unknownKey: ["a"] },
    { configurationKey: null, unknownKey: ["a"] },
  ],
  [
    "remoteStartTransaction",
    { idTag: "04A1" },
    { idTag: "04A1" },
    "status",
    { status: "Accepted" },
    { status: "ACCEPTED" },
  ],
  [
    "remoteStartTransaction",
    { idTag: "04A1", connectorId: 99, chargingProfile: null },
    { idTag: "04A1", connectorId: 99 },
    "status",
    { status: "Rejected" },
    { status: "REJECTED" },
  ],
  [
    "remoteStartTransaction",
    { idTag: "04A1", connectorId: 1, chargingProfile: profile },
    {
      idTag: "04A1",
      connectorId: 1,
      chargingProfile: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: "TxProfile",
        chargingProfileKind: "Absolute",
        validFrom: "2029-12-31T23:00:00.000Z",
        chargingSchedule: {
          chargingRateUnit: "A",
          startSchedule: "2030-01-01T00:00:00.000Z",
          chargingSchedulePeriod: [
            { startPeriod: 0, limit: 16.5 },
            { startPeriod: 60, limit: 6, numberPhases: 1 },
          ],
        },
      },
    },
    "status",
    { status: "Accepted" },
    { status: "ACCEPTED" },
  ],
  [
    "remoteStopTransaction",
    { transactionId: -1 },
    { transactionId: -1 },
    "status",
    { status: "Rejected" },
    { status: "REJECTED" },
  ],
  ["reset", { type: "HARD" }, { type: "Hard" }, "status", { status: "Accepted" }, { status: "ACCEPTED" }],
  [
    "unlockConnector",
    { connectorId: -7 },
    { connectorId: -7 },
    "status",
    { status: "UnlockFailed" },
    { status: "UNLOCK_FAILED" },
  ],
])(
  "%s sends exactly %j and gives the charge point's own answer",
  async (name, input, request, fields, confirmation, told) => {
    const done = await perform(name, input, fields, confirmation)
    const action = name.charAt(0).toUpperCase() + name.slice(1)
    const [{ asked, chargePoint, ...wish } = {}] = done.wishes as Partial<CommandWish>[]
    expect(wish).toEqual({ chargePointId: expect.any(String), identity: "CP-1", action, request })
    expect(asked).toBeObject()
    expect(chargePoint).toMatchObject({ id: wish.chargePointId, identity: "CP-1" })
    expect(done.told).toMatchObject({
      __typename: `${action}Confirmation`,
      ...told,
      command: { state: "ANSWERED", action, requestedBy: "Operator of the test", chargePoint: { identity: "CP-1" } },
    })
  },
)

test("key and timeout are handed on, and are not sent", async () => {
  const { wishes } = await perform("clearCache", { idempotencyKey: "once", timeoutMs: 1_500 }, "status")
  expect(wishes).toMatchObject([{ request: {}, idempotencyKey: "once", timeoutMs: 1_500 }])
})

test.each<[what: string, delivery: Data | null, handedOn: unknown]>([
  ["that may wait", { whenOffline: "QUEUE" }, { whenOffline: "Queue" }],
  [
    "that may wait for a time",
    { whenOffline: "QUEUE", expiresAt: "2030-01-01T00:00:00+01:00" },
    { whenOffline: "Queue", expiresAt: Date.UTC(2029, 11, 31, 23) },
  ],
  ["whose delivery says nothing", {}, { whenOffline: "Fail" }],
  ["whose delivery is null", null, undefined],
])("of an operation %s that is handed on, and not sent", async (_what, delivery, handedOn) => {
  const { wishes } = await perform("clearCache", { delivery }, "status")
  expect(wishes[0]?.delivery).toEqual(handedOn as CommandWish["delivery"])
  expect(wishes[0]?.request).toEqual({})
})

test.each<[name: string, input: Data, path: string]>([
  ["remoteStartTransaction", { idTag: "x".repeat(21) }, "idTag"],
  ["changeConfiguration", { key: "x".repeat(51), value: "v" }, "key"],
  ["changeConfiguration", { key: "k", value: "x".repeat(501) }, "value"],
  ["dataTransfer", { vendorId: "x".repeat(256) }, "vendorId"],
  [
    "remoteStartTransaction",
    {
      idTag: "t",
      chargingProfile: {
        ...profile,
        chargingSchedule: { chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 1.25 }] },
      },
    },
    "chargingProfile.chargingSchedule.chargingSchedulePeriod[0].limit",
  ],
  ["reset", { type: "SOFT", timeoutMs: 0 }, "timeoutMs"],
  ["reset", { type: "SOFT", idempotencyKey: "" }, "idempotencyKey"],
])("%s: what the official schema forbids is not sent, and the field is named (%#)", async (name, input, path) => {
  const { wishes, told } = await perform(name, input, "status")
  expect(told).toMatchObject({ __typename: "InvalidInput", issues: [{ path }] })
  expect(wishes).toEqual([])
})

describe("without an answer the operator learns why", () => {
  test.each<[what: string, (row: CommandRow) => CommandResult, told: Data]>([
    [
      "offline",
      (row) => ({ kind: "Offline", command: { ...row, state: "Failed" } }),
      { __typename: "ChargePointOffline", command: { state: "FAILED" } },
    ],
    [
      "a timeout",
      (row) => ({ kind: "Timeout", command: { ...row, state: "TimedOut" } }),
      { __typename: "CallTimeout", command: { state: "TIMED_OUT" } },
    ],
    [
      "a CALLERROR",
      (row) => ({
        kind: "CallError",
        command: { ...row, state: "Failed" },
        code: "NotImplemented",
        description: "what?",
      }),
      { __typename: "CallError", code: "NotImplemented", description: "what?", command: { state: "FAILED" } },
    ],
    [
      "it waits",
      (row) => ({ kind: "Queued", command: { ...row, state: "Queued" } }),
      { __typename: "CommandQueued", command: { state: "QUEUED" } },
    ],
    [
      "a key of another wish",
      () => ({ kind: "InvalidInput", path: "idempotencyKey", reason: "belongs to a Reset" }),
      { __typename: "InvalidInput", issues: [{ path: "idempotencyKey", message: "belongs to a Reset" }] },
    ],
    [
      "a state that does not permit it",
      () => ({ kind: "NotAllowedNow", reason: "pending" }),
      { __typename: "NotAllowedNow", reason: "pending" },
    ],
    [
      "something away",
      () => ({ kind: "Unavailable", reason: "the store is down" }),
      { __typename: "Unavailable", message: "the store is down" },
    ],
    [
      "nodes apart",
      () => {
        throw new BusUnavailable()
      },
      { __typename: "Unavailable" },
    ],
  ])("%s", async (_what, comesTo, told) => {
    outcome = comesTo
    expect(await asked("reset", { type: "SOFT" })).toMatchObject(told)
  })

  test("an unknown charge point", async () => {
    expect(await asked("reset", { type: "SOFT", chargePoint: "nobody" })).toMatchObject({
      __typename: "ChargePointNotFound",
    })
  })

  test("an unforeseen failure is told without its text, under the id of its log line", async () => {
    outcome = () => {
      throw new Error("the secret text of a fault")
    }
    const { errors } = await rig.ask(
      token,
      `mutation { reset(input: { chargePoint: "CP-1", type: SOFT }) { __typename } }`,
    )
    expect(errors?.[0]?.extensions?.code).toBe("INTERNAL_SERVER_ERROR")
    expect(JSON.stringify(errors)).not.toContain("secret text")
    const { errorId } = errors![0]!.extensions as { errorId?: string }
    expect(rig.errorLines.some((line) => line.includes(errorId!) && line.includes("secret text"))).toBe(true)
  })
})

describe("a retry with the same key", () => {
  const repeated =
    (change: Partial<CommandRow>) =>
    (row: CommandRow): CommandResult => ({ kind: "Repeated", command: { ...row, ...change } })

  test.each<[what: string, change: Partial<CommandRow>, told: Data]>([
    [
      "gives the same answer",
      { confirmation: `{"status":"Accepted"}` },
      { __typename: "ResetConfirmation", status: "ACCEPTED" },
    ],
    [
      "gives the same error",
      { state: "Failed", error: `{"code":"CallError","callErrorCode":"GenericError","description":"d"}` },
      { __typename: "CallError", code: "GenericError" },
    ],
    [
      "says that the first attempt is under way",
      { state: "Sent" },
      { __typename: "CommandQueued", command: { state: "SENT" } },
    ],
    ["says that it waits", { state: "Queued" }, { __typename: "CommandQueued", command: { state: "QUEUED" } }],
    ["says that its time was over", { state: "Expired" }, { __typename: "NotAllowedNow" }],
    ["says that it was taken back", { state: "Cancelled" }, { __typename: "NotAllowedNow" }],
  ])("%s", async (_what, change, told) => {
    outcome = repeated(change)
    expect(await asked("reset", { type: "SOFT", idempotencyKey: "k" })).toMatchObject(told)
  })
})

test("a command is listed with request, confirmation and error", async () => {
  const row = (await rig.store.read.chargePointByIdentity("CP-1"))!
  const recorded = command({
    id: crypto.randomUUID(),
    chargePointId: row.id,
    state: "Sent",
    request: `{"type":"Soft"}`,
    answeredAt: null,
  })
  await rig.store.change("recordCommand", { command: recorded })
  await rig.store.change("endCommand", {
    organisationId: "default",
    commandId: recorded.id,
    chargePointId: row.id,
    state: "Failed",
    at: 5,
    confirmation: null,
    error: { code: "CallError", callErrorCode: "InternalError", description: "broken" },
    configurationKeys: [],
  })
  const { data } = await rig.ask(
    token,
    `{
    commands(filter: { chargePoints: ["CP-1"], state: [FAILED], action: "Reset" }) {
      edges { node { id action state request confirmation answeredAt error { code callErrorCode description } chargePoint { identity } } }
    }
  }`,
  )
  const [edge] = (data as { commands: { edges: { node: { id: string } }[] } }).commands.edges
  expect(edge!.node).toMatchObject({
    action: "Reset",
    state: "FAILED",
    request: { type: "Soft" },
    confirmation: null,
    answeredAt: "1970-01-01T00:00:00.005Z",
    error: { code: "CALL_ERROR", callErrorCode: "InternalError", description: "broken" },
    chargePoint: { identity: "CP-1" },
  })
  const { data: again } = await rig.ask(token, `query ($id: ID!) { node(id: $id) { ... on Command { state } } }`, {
    id: edge!.node.id,
  })
  expect(again).toEqual({ node: { state: "FAILED" } })
})

describe("cancelCommand", () => {
  const cancel = (by: string, id: string) =>
    result(
      rig,
      by,
      `mutation ($id: ID!) {
        result: cancelCommand(input: { id: $id }) {
          __typename
          ... on CancelCommandPayload { command { id state } }
          ... on NotAllowedNow { reason }
        }
      }`,
      { id },
    )
  const globalId = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString("base64")

  test("takes the command back", async () => {
    cancelled = { command: command({ state: "Cancelled" }), moved: true }
    const id = globalId("Command", "command-1")
    expect(await cancel(token, id)).toEqual({ __typename: "CancelCommandPayload", command: { id, state: "CANCELLED" } })
  })

  test.each<[CommandRow["state"], string]>([
    ["Sent", "it has been sent"],
    ["Answered", "it has been answered"],
    ["Expired", "it has expired"],
    ["Cancelled", "it has been cancelled already"],
  ])("of one that is %s says so", async (state, reason) => {
    cancelled = { command: command({ state }), moved: false }
    expect(await cancel(token, globalId("Command", "command-1"))).toEqual({ __typename: "NotAllowedNow", reason })
  })

  test("is for operators, and finds nothing under another thing's id", async () => {
    cancelled = undefined
    const viewer = await rig.token("Viewer")
    expect(await cancel(viewer, globalId("Command", "command-1"))).toMatchObject({ __typename: "Forbidden" })
    for (const id of [globalId("Command", "unknown"), globalId("ChargePoint", "command-1"), "nonsense", ""])
      expect(await cancel(token, id)).toEqual({ __typename: "CommandNotFound" })
  })
})
