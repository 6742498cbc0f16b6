/**
 * What real charge points send, met in public reports of the field. For each: the session is kept, nothing is lost, the
 * deviation is shown to the operator. Quirks of the handshake have their tests with the gateway.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { type Ask, createChargePoint, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

let node: TestNode
let ask: Ask
let count = 0

beforeAll(async () => {
  node = await startTestNode()
  ask = graphqlOver(node.graphqlUrl, node.token)
  await createIdTag(ask, { idTag: "QUIRK" })
})

afterAll(() => node[Symbol.asyncDispose]())

/** A booted charge point of a test's own. */
async function bootedChargePoint(input: Record<string, unknown> = {}): Promise<ChargePoint> {
  const identity = `QUIRK-${++count}`
  await createChargePoint(ask, { identity, ...input })
  const chargePoint = await connectChargePoint({ url: node.ocppUrl, identity })
  await chargePoint.call("BootNotification", chargePoint.identification)
  return chargePoint
}

interface Deviation {
  kind: string
  place: string
  example: string
  count: number
}

/** The deviations the operator sees, once there is one that matches. */
async function shown(chargePoint: ChargePoint, matches: (deviation: Deviation) => boolean): Promise<Deviation> {
  return until(`a deviation of ${chargePoint.identity} is shown`, async () => {
    const { chargePoint: seen } = await ask<{ chargePoint: { deviations: Deviation[] } }>(
      "query ($identity: String!) { chargePoint(identity: $identity) { deviations { kind place example count } } }",
      { identity: chargePoint.identity },
    )
    return seen.deviations.find(matches)
  })
}

const inMessage = (action: string) => (deviation: Deviation) => deviation.place.startsWith(action)

/** The session lives: a Heartbeat is answered. */
async function alive(chargePoint: ChargePoint): Promise<void> {
  expect(await chargePoint.call("Heartbeat")).toHaveProperty("currentTime")
}

interface Seen {
  transactionId: number
  state: string
  startedAt: string
  stoppedAt: string | null
  meterStart: number
  meterStop: number | null
  energyWh: number | null
  energyNote: string | null
  idTag: string
  meterValues: { edges: { node: { timestamp: string } }[] }
}

const SEEN =
  "transactionId state startedAt stoppedAt meterStart meterStop energyWh energyNote idTag meterValues(first: 50) { edges { node { timestamp } } }"

async function transactionsOf(chargePoint: ChargePoint): Promise<Seen[]> {
  const { chargePoint: seen } = await ask<{ chargePoint: { transactions: { edges: { node: Seen }[] } } }>(
    `query ($identity: String!) { chargePoint(identity: $identity) { transactions(first: 50) { edges { node { ${SEEN} } } } } }`,
    { identity: chargePoint.identity },
  )
  return seen.transactions.edges.map(({ node: transaction }) => transaction)
}

async function transactionOf(chargePoint: ChargePoint): Promise<Seen> {
  const [transaction, ...others] = await transactionsOf(chargePoint)
  if (transaction === undefined || others.length > 0) throw new Error(`${others.length + 1} transactions`)
  return transaction
}

const at = (minute: number): string => new Date(Date.UTC(2026, 4, 1, 12, minute)).toISOString()

const startRequest = (minute = 0, meterStart = 1000) => ({
  connectorId: 1,
  idTag: "QUIRK",
  meterStart,
  timestamp: at(minute),
})

const register = (minute: number, value: string, more: Record<string, unknown> = {}) => ({
  timestamp: at(minute),
  sampledValue: [{ value, ...more }],
})

describe("frames and fields", () => {
  test("10: invalid JSON keeps the session and is shown", async () => {
    await using chargePoint = await bootedChargePoint()
    chargePoint.send('[2,"broken","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[]}]', "broken")
    await alive(chargePoint)
    await shown(chargePoint, ({ example }) => example.length > 0)
  })

  test("10: an object instead of a list in meterValue, and an empty sampledValue, lose nothing", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId } = await chargePoint.call("StartTransaction", startRequest())
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: register(1, "1100") })
    await chargePoint.call("MeterValues", {
      connectorId: 1,
      transactionId,
      meterValue: [{ timestamp: at(2), sampledValue: [] }, register(3, "1300")],
    })
    await shown(chargePoint, inMessage("MeterValues"))
    expect(await transactionOf(chargePoint)).toMatchObject({ energyWh: 300 })
  })

  test("10: numbers where strings are due are read", async () => {
    await using chargePoint = await bootedChargePoint()
    await createIdTag(ask, { idTag: "12345678" })
    const { idTagInfo } = await chargePoint.call("Authorize", { idTag: 12345678 })
    expect(idTagInfo).toMatchObject({ status: "Accepted" })
    await shown(chargePoint, inMessage("Authorize"))
  })

  test.each([
    ["without a zone", "2026-05-01T12:00:00", "2026-05-01T12:00:00.000Z"],
    ["with a short offset", "2026-05-01T14:00:00+02", "2026-05-01T12:00:00.000Z"],
    ["of 1970", "1970-01-01T00:00:10Z", "1970-01-01T00:00:10.000Z"],
  ])("11: a timestamp %s is understood", async (_, timestamp, instant) => {
    await using chargePoint = await bootedChargePoint()
    await chargePoint.call("StartTransaction", { ...startRequest(), timestamp })
    expect(await transactionOf(chargePoint)).toMatchObject({ startedAt: instant, state: "ACTIVE" })
  })

  test("12: over-long texts and extra fields are kept whole or left out, and shown", async () => {
    const identity = `QUIRK-${++count}`
    await createChargePoint(ask, { identity })
    await using chargePoint = await connectChargePoint({ url: node.ocppUrl, identity })
    const serial = "S".repeat(33)
    const { status } = await chargePoint.call("BootNotification", {
      chargePointVendor: "V",
      chargePointModel: "M".repeat(23),
      chargePointSerialNumber: serial,
      vendorExtension: { any: "thing" },
    })
    expect(status).toBe("Accepted")
    const { chargePoint: seen } = await ask<{ chargePoint: Record<string, unknown> }>(
      "query ($identity: String!) { chargePoint(identity: $identity) { serialNumber model } }",
      { identity },
    )
    expect(seen).toEqual({ serialNumber: serial, model: "M".repeat(23) })
    await shown(chargePoint, inMessage("BootNotification"))
  })

  test("13: unknown words of an enumeration do not lose the message", async () => {
    await using chargePoint = await bootedChargePoint()
    await chargePoint.call("StatusNotification", { connectorId: 1, errorCode: "Error", status: "Faulted" })
    await chargePoint.call("MeterValues", {
      connectorId: 1,
      meterValue: [register(1, "50.0", { measurand: "Frequency", unit: "Hz", context: "Sample.Sometimes" })],
    })
    await shown(chargePoint, inMessage("StatusNotification"))
    await shown(chargePoint, inMessage("MeterValues"))
    const { chargePoint: seen } = await ask<{
      chargePoint: { connectors: { connectorId: number; status: string; errorCode: string }[] }
    }>(
      "query ($identity: String!) { chargePoint(identity: $identity) { connectors { connectorId status errorCode } } }",
      {
        identity: chargePoint.identity,
      },
    )
    expect(seen.connectors).toContainEqual({ connectorId: 1, status: "FAULTED", errorCode: "OTHER_ERROR" })
  })

  test("14: a CALLERROR of four elements with an unknown code is the operator's answer", async () => {
    await using chargePoint = await bootedChargePoint()
    const told = ask<{ clearCache: Record<string, unknown> }>(
      `mutation ($input: ClearCacheInput!) { clearCache(input: $input) { __typename ... on CallError { code description } } }`,
      { input: { chargePoint: chargePoint.identity } },
    )
    const frame = JSON.parse(await chargePoint.waitForText((text) => text.includes("ClearCache"))) as [number, string]
    chargePoint.send(JSON.stringify([4, frame[1], "VendorFault", "cache is busy"]))
    expect((await told).clearCache).toEqual({
      __typename: "CallError",
      code: "VendorFault",
      description: "cache is busy",
    })
    await alive(chargePoint)
  })

  test("15: a register that restarts is added up and noted", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId } = await chargePoint.call("StartTransaction", startRequest(0, 1000))
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [register(1, "1500")] })
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [register(2, "0")] })
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [register(3, "300")] })
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 400, timestamp: at(4) })
    const transaction = await transactionOf(chargePoint)
    expect(transaction).toMatchObject({ state: "ENDED", energyWh: 900 })
    expect(transaction.energyNote).not.toBeNull()
  })

  test.each([[0], [undefined]])(
    "16: MeterValues with transactionId %p belong to the running transaction",
    async (id) => {
      await using chargePoint = await bootedChargePoint()
      await chargePoint.call("StartTransaction", startRequest())
      await chargePoint.call("MeterValues", {
        connectorId: 1,
        ...(id === undefined ? {} : { transactionId: id }),
        meterValue: [register(1, "1.4", { unit: "kWh" }), register(2, "1600", { context: "Sample.Clock" })],
      })
      const transaction = await transactionOf(chargePoint)
      expect(transaction.meterValues.edges).toHaveLength(2)
      expect(transaction.energyWh).toBe(600)
    },
  )

  test("16: MeterValues of connector 0 are taken", async () => {
    await using chargePoint = await bootedChargePoint()
    await chargePoint.call("MeterValues", { connectorId: 0, transactionId: 0, meterValue: [register(1, "77")] })
    await alive(chargePoint)
  })

  describe("17: an idTag behind a payment terminal's prefix", () => {
    const prefixed = "TERMINAL-4711;QUIRK"

    test("is understood alike by Authorize, StartTransaction and StopTransaction, and is shown", async () => {
      await using chargePoint = await bootedChargePoint()
      const authorized = await chargePoint.call("Authorize", { idTag: prefixed })
      const started = await chargePoint.call("StartTransaction", { ...startRequest(), idTag: prefixed })
      const { transactionId } = started
      const stopped = await chargePoint.call("StopTransaction", {
        transactionId,
        idTag: "a;b;quirk",
        meterStop: 1100,
        timestamp: at(9),
      })
      for (const { idTagInfo } of [authorized, started, stopped]) expect(idTagInfo).toEqual({ status: "Accepted" })
      expect(await transactionOf(chargePoint)).toMatchObject({ idTag: "QUIRK", state: "ENDED", energyWh: 100 })
      for (const action of ["Authorize", "StartTransaction", "StopTransaction"]) {
        const isShown = ({ kind, place }: Deviation) => kind === "prefixed-id-tag" && place === `${action}.req.idTag`
        expect((await shown(chargePoint, isShown)).example).toContain(";")
      }
    })

    test("is the same start when it is said again, also after the idTag is gone", async () => {
      await using chargePoint = await bootedChargePoint()
      await createIdTag(ask, { idTag: "LEAVING" })
      const request = { ...startRequest(), idTag: "x;LEAVING" }
      const first = await chargePoint.call("StartTransaction", request)
      await ask(`mutation { deleteIdTag(input: { idTag: "LEAVING" }) { __typename } }`)
      expect(await chargePoint.call("StartTransaction", request)).toEqual(first)
      expect(await transactionOf(chargePoint)).toMatchObject({ idTag: "LEAVING" })
    })

    test("does not hide a known idTag with a semicolon, nor make an unknown one known", async () => {
      await using chargePoint = await bootedChargePoint()
      await createIdTag(ask, { idTag: "no;QUIRK", status: "BLOCKED" })
      const { idTagInfo } = await chargePoint.call("Authorize", { idTag: "no;QUIRK" })
      expect(idTagInfo).toEqual({ status: "Blocked" })
      for (const idTag of ["x;NOBODY", "QUIRK;", ";", "QUIRK;x"]) {
        const { idTagInfo: refused } = await chargePoint.call("Authorize", { idTag })
        expect([idTag, refused]).toEqual([idTag, { status: "Invalid" }])
      }
    })

    test("means only itself from a strict charge point", async () => {
      await using chargePoint = await bootedChargePoint({ leniency: "STRICT" })
      const { idTagInfo } = await chargePoint.call("Authorize", { idTag: "T-4711;QUIRK" })
      expect(idTagInfo).toEqual({ status: "Invalid" })
      const { transactionId } = await chargePoint.call("StartTransaction", { ...startRequest(), idTag: "T-4711;QUIRK" })
      await chargePoint.call("StopTransaction", { transactionId, meterStop: 1001, timestamp: at(1) })
      expect(await transactionOf(chargePoint)).toMatchObject({ idTag: "T-4711;QUIRK" })
    })
  })

  test("15: kWh labelled as Wh do not spoil the energy, and are noted", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId } = await chargePoint.call("StartTransaction", startRequest(0, 1_000_000))
    for (const [minute, value] of ["1000.4", "1001.2"].entries())
      await chargePoint.call("MeterValues", {
        connectorId: 1,
        transactionId,
        meterValue: [register(minute + 1, value)],
      })
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 1_002_000, timestamp: at(4) })
    const transaction = await transactionOf(chargePoint)
    expect(transaction).toMatchObject({ state: "ENDED", energyWh: 2000 })
    expect(transaction.energyNote).not.toBeNull()
  })

  test("18: a configuration that cannot be true harms nobody", async () => {
    await using chargePoint = await bootedChargePoint()
    chargePoint.onCall("GetConfiguration", async () => ({
      configurationKey: [{ key: "NumberOfConnectors", readonly: true, value: "1634030126" }],
      unknownKey: ["HeartbeatInterval"],
    }))
    const { getConfiguration } = await ask<{ getConfiguration: Record<string, unknown> }>(
      `mutation ($input: GetConfigurationInput!) {
        getConfiguration(input: $input) { ... on GetConfigurationConfirmation { configurationKey { value } unknownKey } }
      }`,
      { input: { chargePoint: chargePoint.identity } },
    )
    expect(getConfiguration).toEqual({ configurationKey: [{ value: "1634030126" }], unknownKey: ["HeartbeatInterval"] })
    await alive(chargePoint)
  })
})

describe("commands", () => {
  /** What became of a command: the type of its result, with the command's state. */
  async function told(mutation: string, chargePoint: ChargePoint, input: Record<string, unknown> = {}) {
    const name = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`
    const { result } = await ask<{ result: { __typename: string } & Record<string, unknown> }>(
      `mutation ($input: ${name}Input!) {
        result: ${mutation}(input: $input) { __typename ... on CallTimeout { command { state } } ... on ${name}Confirmation { status } }
      }`,
      { input: { chargePoint: chargePoint.identity, ...input } },
    )
    return result
  }

  const availability = { connectorId: 0, type: "INOPERATIVE" }

  test("18: a ChangeAvailability never answered is a timeout, and the next command is sent all the same", async () => {
    await using chargePoint = await bootedChargePoint()
    chargePoint.onCall("ChangeAvailability", () => new Promise(() => undefined))
    chargePoint.onCall("ClearCache", async () => ({ status: "Accepted" }))
    expect(await told("changeAvailability", chargePoint, { ...availability, timeoutMs: 100 })).toEqual({
      __typename: "CallTimeout",
      command: { state: "TIMED_OUT" },
    })
    expect(await told("clearCache", chargePoint)).toEqual({ __typename: "ClearCacheConfirmation", status: "ACCEPTED" })
    await alive(chargePoint)
  })

  test("14: an answer that comes after the timeout is not taken for that to the next CALL, and is shown", async () => {
    await using chargePoint = await bootedChargePoint()
    const late = Promise.withResolvers<Record<string, unknown>>()
    chargePoint.onCall("ChangeAvailability", () => late.promise)
    expect(await told("changeAvailability", chargePoint, { ...availability, timeoutMs: 100 })).toMatchObject({
      __typename: "CallTimeout",
    })
    chargePoint.onCall("ClearCache", async () => {
      late.resolve({ status: "Accepted" })
      await alive(chargePoint)
      return { status: "Rejected" }
    })
    expect(await told("clearCache", chargePoint)).toMatchObject({ status: "REJECTED" })
    await shown(chargePoint, ({ kind }) => kind === "late-answer")
  })

  test("6: a charge point deaf to CALLs is asked in vain until it has reconnected", async () => {
    await using chargePoint = await bootedChargePoint()
    chargePoint.onCall("ClearCache", () => new Promise(() => undefined))
    expect(await told("clearCache", chargePoint, { timeoutMs: 100 })).toMatchObject({ __typename: "CallTimeout" })
    await alive(chargePoint)
    await chargePoint.disconnect()
    chargePoint.onCall("ClearCache", async () => ({ status: "Accepted" }))
    await chargePoint.connect()
    await alive(chargePoint)
    expect(await told("clearCache", chargePoint)).toMatchObject({ status: "ACCEPTED" })
  })

  test.each([
    ["before it answers", false],
    ["after it has answered", true],
  ])("18: a ChangeConfiguration that makes the charge point reboot %s has its outcome told", async (_when, answers) => {
    await using chargePoint = await bootedChargePoint()
    const asked = ask<{ changeConfiguration: { __typename: string } & Record<string, unknown> }>(
      `mutation ($input: ChangeConfigurationInput!) {
        changeConfiguration(input: $input) {
          __typename ... on ChangeConfigurationConfirmation { status } ... on ChargePointOffline { message }
        }
      }`,
      { input: { chargePoint: chargePoint.identity, key: "HeartbeatInterval", value: "60" } },
    )
    const frame = JSON.parse(await chargePoint.waitForText((text) => text.includes("ChangeConfiguration")))
    if (answers) chargePoint.send(JSON.stringify([3, frame[1], { status: "RebootRequired" }]))
    chargePoint.terminate()
    await chargePoint.waitForClose()
    await chargePoint.connect()
    expect(await chargePoint.call("BootNotification", chargePoint.identification)).toMatchObject({ status: "Accepted" })
    const { changeConfiguration } = await asked
    if (answers) expect(changeConfiguration).toMatchObject({ status: "REBOOT_REQUIRED" })
    else expect(changeConfiguration.__typename).not.toBe("ChangeConfigurationConfirmation")
  })

  test("8: a BootNotification that was triggered, and then really booted for, keeps everything", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId } = await chargePoint.call("StartTransaction", startRequest())
    await chargePoint.call("BootNotification", chargePoint.identification)
    chargePoint.terminate()
    await chargePoint.waitForClose()
    await chargePoint.connect()
    await chargePoint.call("BootNotification", chargePoint.identification)
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 1400, timestamp: at(20) })
    expect(await transactionOf(chargePoint)).toMatchObject({ state: "ENDED", energyWh: 400 })
  })
})

describe("transactions and floods", () => {
  test("19: StartTransaction repeated, with the same message id or a new one, is one transaction", async () => {
    await using chargePoint = await bootedChargePoint()
    const first = await chargePoint.call("StartTransaction", startRequest(), "same-id")
    const second = await chargePoint.call("StartTransaction", startRequest(), "same-id")
    const third = await chargePoint.call("StartTransaction", startRequest())
    expect([second, third]).toEqual([first, first])
    expect(await transactionOf(chargePoint)).toMatchObject({ transactionId: first.transactionId })
  })

  test.each([[-1], [0]])(
    "20: a StopTransaction with id %p ends the one transaction that fits",
    async (transactionId) => {
      await using chargePoint = await bootedChargePoint()
      await chargePoint.call("StartTransaction", startRequest())
      await chargePoint.call("StopTransaction", { transactionId, meterStop: 1750, timestamp: at(30) })
      expect(await transactionOf(chargePoint)).toMatchObject({ state: "ENDED", energyWh: 750, stoppedAt: at(30) })
    },
  )

  test("20: a StopTransaction for a transaction never announced is answered and shown", async () => {
    await using chargePoint = await bootedChargePoint()
    await chargePoint.call("StopTransaction", { transactionId: 987_654_321, meterStop: 1750, timestamp: at(30) })
    const { chargePoint: seen } = await ask<{
      chargePoint: { strayMessages: { edges: { node: { reason: string } }[] } }
    }>(
      "query ($identity: String!) { chargePoint(identity: $identity) { strayMessages(first: 5) { edges { node { reason } } } } }",
      { identity: chargePoint.identity },
    )
    expect(seen.strayMessages.edges.map(({ node: { reason } }) => reason)).toEqual(["UNKNOWN_TRANSACTION"])
  })

  test("20: a StopTransaction cannot end another charge point's transaction", async () => {
    await using victim = await bootedChargePoint()
    await using stranger = await bootedChargePoint()
    const { transactionId } = await victim.call("StartTransaction", startRequest())
    await stranger.call("StopTransaction", { transactionId, meterStop: 5000, timestamp: at(10) })
    expect(await transactionOf(victim)).toMatchObject({ state: "ACTIVE", meterStop: null })
  })

  test("21: what is charged in spite of a refusal is kept, and readings after the end too", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId, idTagInfo } = await chargePoint.call("StartTransaction", {
      ...startRequest(),
      idTag: "NOBODY",
    })
    expect(idTagInfo.status).toBe("Invalid")
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [register(1, "1200")] })
    await chargePoint.call("StopTransaction", { transactionId, meterStop: 1300, timestamp: at(2) })
    await chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [register(5, "1300")] })
    const transaction = await transactionOf(chargePoint)
    expect(transaction).toMatchObject({ state: "ENDED", energyWh: 300 })
    expect(transaction.meterValues.edges).toHaveLength(2)
  })

  test("23: a flood of equal reports is answered, one by one", async () => {
    await using chargePoint = await bootedChargePoint()
    const report = { connectorId: 1, errorCode: "OtherError", status: "Finishing", timestamp: at(0) }
    const answers = await Promise.all([
      ...Array.from({ length: 100 }, () => chargePoint.call("StatusNotification", report)),
      ...Array.from({ length: 100 }, () => chargePoint.call("DiagnosticsStatusNotification", { status: "Uploading" })),
    ])
    expect(answers).toHaveLength(200)
    await alive(chargePoint)
  })

  test("24: a StopTransaction sent just before the socket is torn down counts", async () => {
    const chargePoint = await bootedChargePoint()
    const { transactionId } = await chargePoint.call("StartTransaction", startRequest())
    chargePoint.send(
      JSON.stringify([2, "last", "StopTransaction", { transactionId, meterStop: 1900, timestamp: at(9) }]),
      "last",
    )
    await chargePoint.disconnect()
    const transaction = await until("the transaction ends", async () => {
      const seen = await transactionOf(chargePoint)
      return seen.state === "ENDED" && seen
    })
    expect(transaction).toMatchObject({ energyWh: 900, stoppedAt: at(9) })
  })

  test("9: a backlog of two thousand messages, sent at once after a reconnect, is stored to the last one", async () => {
    await using chargePoint = await bootedChargePoint()
    await chargePoint.disconnect()
    await chargePoint.connect()
    const day = (index: number, minute: number) => new Date(Date.UTC(2026, 0, 1, 0, index * 60 + minute)).toISOString()
    const sessions = 500
    // An offline charge point has no transactionId: it writes −1 and leaves it to us which one is meant.
    const messages = Array.from({ length: sessions }, (_, index) => {
      const meter = index * 1000
      const reading = { timestamp: day(index, 10), sampledValue: [{ value: String(meter + 300) }] }
      return [
        ["StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Charging", timestamp: day(index, 0) }],
        ["StartTransaction", { connectorId: 1, idTag: "QUIRK", meterStart: meter, timestamp: day(index, 0) }],
        ["MeterValues", { connectorId: 1, transactionId: -1, meterValue: [reading] }],
        ["StopTransaction", { transactionId: -1, meterStop: meter + 500, timestamp: day(index, 20) }],
      ] as const
    }).flat()
    const answers = messages.map(([action, payload], index) => {
      chargePoint.send(JSON.stringify([2, `backlog-${index}`, action, payload]), `backlog-${index}`)
      return index
    })
    expect(answers).toHaveLength(2000)
    await chargePoint.waitForText((text) => text.startsWith('[3,"backlog-1999"'), 60_000)
    const { transactions } = await ask<{
      transactions: { totalCount: number; edges: { node: { state: string; energyWh: number } }[] }
    }>(
      `query ($filter: TransactionFilter) {
        transactions(first: 500, filter: $filter) { totalCount edges { node { state energyWh } } }
      }`,
      { filter: { chargePoints: [chargePoint.identity] } },
    )
    expect(transactions.totalCount).toBe(sessions)
    expect(new Set(transactions.edges.map(({ node: { state, energyWh } }) => `${state} ${energyWh}`))).toEqual(
      new Set(["ENDED 500"]),
    )
  }, 90_000)

  test("9: a backlog in any order ends in the same transactions", async () => {
    await using chargePoint = await bootedChargePoint()
    const { transactionId: newer } = await chargePoint.call("StartTransaction", startRequest(30, 3000))
    const { transactionId: older } = await chargePoint.call("StartTransaction", startRequest(0, 1000))
    await chargePoint.call("StopTransaction", { transactionId: older, meterStop: 1800, timestamp: at(20) })
    expect(
      (await transactionsOf(chargePoint)).map(({ transactionId, state, energyWh }) => [transactionId, state, energyWh]),
    ).toEqual([
      [newer, "ACTIVE", null],
      [older, "ENDED", 800],
    ])
  })
})
