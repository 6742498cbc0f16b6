/** What the standard asks of a central system and the certification's test tool leaves out; ids of our own. */
import { CaseFailed, check, Refused } from "../stage.ts"
import type { Case, Connecting, Payload, Reply, ScriptedChargePoint, Stage } from "../stage.ts"
import { authorize, boot, booted, charging, idTagStatus, instant, start, status, stop } from "../states.ts"

const robust = (id: string, name: string, run: (stage: Stage) => Promise<void>): Case => ({
  id,
  name,
  functionality: "Robustness",
  run,
})

/** The HTTP status with which an upgrade is refused. */
async function refusal(stage: Stage, connecting: Connecting): Promise<number> {
  try {
    await stage.connect(connecting)
  } catch (cause) {
    if (cause instanceof Refused) return cause.status
    throw cause
  }
  throw new CaseFailed("the upgrade was not refused")
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

/** A further charge point of the case, made with `input`, connected without checks on what it sends. */
async function another(stage: Stage, name: string, input: Payload = {}): Promise<ScriptedChargePoint> {
  const identity = `${name}-${stage.suffix}`
  await stage.makeChargePoint({ identity, ...input })
  return stage.connect({ identity, strict: false })
}

const code = (reply: Reply): string => ("code" in reply ? reply.code : "CALLRESULT")

function answered(reply: Reply): Payload {
  check("payload" in reply, `answered with CALLERROR ${code(reply)}`)
  return reply.payload
}

const BOOT: Payload = { chargePointVendor: "Busbar", chargePointModel: "Conformance" }

/** A faulty message and what each level makes of it: the code of a CALLERROR, or `CALLRESULT`. */
interface Fault {
  what: string
  action: string
  payload: unknown
  strict: string
  tolerant: string
}

const METER_VALUE = { timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: "1" }] }

export const FAULTS: readonly Fault[] = [
  {
    what: "a required field is missing",
    action: "Authorize",
    payload: {},
    strict: "ProtocolError",
    tolerant: "ProtocolError",
  },
  {
    what: "a number where a string is due",
    action: "Authorize",
    payload: { idTag: 12345678 },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an object where a string is due",
    action: "Authorize",
    payload: { idTag: { value: "A" } },
    strict: "TypeConstraintViolation",
    tolerant: "TypeConstraintViolation",
  },
  {
    what: "a string where an integer is due",
    action: "StatusNotification",
    payload: { connectorId: "1", errorCode: "NoError", status: "Available" },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an unknown enum word in a descriptive field",
    action: "StatusNotification",
    payload: { connectorId: 1, errorCode: "Error", status: "Available" },
    strict: "PropertyConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an additional field",
    action: "Heartbeat",
    payload: { extra: true },
    strict: "FormationViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "a free text that is too long",
    action: "BootNotification",
    payload: { ...BOOT, chargePointSerialNumber: "S".repeat(33) },
    strict: "PropertyConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "a list that must not be empty",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [] },
    strict: "OccurenceConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    what: "an object where a list is due",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: METER_VALUE },
    strict: "TypeConstraintViolation",
    tolerant: "CALLRESULT",
  },
  {
    // The official schema's date-time leaves the zone open.
    what: "a timestamp without its zone",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [{ ...METER_VALUE, timestamp: "2026-01-01T00:00:00" }] },
    strict: "CALLRESULT",
    tolerant: "CALLRESULT",
  },
  {
    what: "a timestamp that is none",
    action: "MeterValues",
    payload: { connectorId: 1, meterValue: [{ ...METER_VALUE, timestamp: "yesterday" }] },
    strict: "PropertyConstraintViolation",
    tolerant: "PropertyConstraintViolation",
  },
  {
    what: "a payload that is a list",
    action: "Heartbeat",
    payload: ["not", "an", "object"],
    strict: "FormationViolation",
    tolerant: "FormationViolation",
  },
]

async function faults(stage: Stage, leniency: "strict" | "tolerant"): Promise<void> {
  const chargePoint = await another(stage, leniency, { leniency: leniency.toUpperCase() })
  answered(await chargePoint.provoke("BootNotification", BOOT))
  for (const fault of FAULTS) {
    const outcome = code(await chargePoint.provoke(fault.action, fault.payload))
    check(outcome === fault[leniency], `${fault.what}: ${outcome}, not ${fault[leniency]}`)
  }
  answered(await chargePoint.provoke("Heartbeat", {}))
}

export const robustnessCases: readonly Case[] = [
  robust("X-01", "An unknown identity is refused with 404", async (stage) => {
    const answer = await refusal(stage, { identity: `UNKNOWN-${stage.suffix}` })
    check(answer === 404, `refused with ${answer}`)
  }),
  robust("X-02", "A wrong password or a foreign user name is refused with 401", async (stage) => {
    const identity = `BASIC-${stage.suffix}`
    const password = "correct horse bat"
    await stage.makeChargePoint({ identity, password })
    const attempts: Connecting[] = [
      {},
      { password: "wrong horse battery" },
      { authorization: basic("somebody-else", password) },
      { authorization: "Basic ***" },
      { authorization: `Bearer ${password}` },
    ]
    for (const attempt of attempts) {
      const answer = await refusal(stage, { identity, ...attempt })
      check(answer === 401, `${JSON.stringify(attempt)} was refused with ${answer}`)
    }
    const chargePoint = await stage.connect({ identity, password })
    await chargePoint.call("BootNotification", BOOT)
  }),
  robust("X-03", "A percent-encoded identity is decoded and matched", async (stage) => {
    const identity = `RDAM 123|${stage.suffix}/ä%`
    await stage.makeChargePoint({ identity })
    const chargePoint = await stage.connect({ identity })
    await chargePoint.call("BootNotification", BOOT)
    const { chargePoint: seen } = await stage.operator.ask(
      "query ($identity: String!) { chargePoint(identity: $identity) { online } }",
      { identity },
    )
    check((seen as Payload | null)?.["online"] === true, "the charge point is not shown online")
  }),
  robust("X-05", "StopTransaction and MeterValues with unknown ids are answered", async (stage) => {
    await booted(stage)
    for (const transactionId of [-1, 0, 2_000_000_000]) {
      await stage.chargePoint.call("StopTransaction", { transactionId, meterStop: 1, timestamp: instant() })
      await stage.chargePoint.call("MeterValues", { connectorId: 1, transactionId, meterValue: [METER_VALUE] })
    }
  }),
  robust("X-06", "A repeated StartTransaction is the same transaction", async (stage) => {
    await booted(stage)
    const request = { connectorId: 1, idTag: stage.values.validIdTag, meterStart: 7, timestamp: instant(30) }
    const first = await stage.chargePoint.call("StartTransaction", request)
    await stage.chargePoint.reconnect()
    const second = await stage.chargePoint.call("StartTransaction", request)
    check(Bun.deepEquals(first, second), `${JSON.stringify(first)} became ${JSON.stringify(second)}`)
  }),
  robust("X-07", "StopTransaction without idTag and reason is accepted as Local", async (stage) => {
    await booted(stage)
    const transactionId = await charging(stage)
    await stop(stage, transactionId)
    const { transaction } = await stage.operator.ask(
      "query ($id: Int!) { transaction(transactionId: $id) { state stopReason energyWh } }",
      { id: transactionId },
    )
    check(
      Bun.deepEquals(transaction, { state: "ENDED", stopReason: "LOCAL", energyWh: 2500 }),
      `the operator sees ${JSON.stringify(transaction)}`,
    )
  }),
  robust("X-08", "Both spellings of Celsius, fractions of a second and zone offsets are accepted", async (stage) => {
    const chargePoint = await another(stage, "UNITS")
    answered(await chargePoint.provoke("BootNotification", BOOT))
    for (const unit of ["Celsius", "Celcius"])
      for (const timestamp of ["2026-03-01T10:00:00.123456Z", "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"]) {
        const sampledValue = [{ value: "21.5", measurand: "Temperature", unit }]
        const reply = await chargePoint.provoke("MeterValues", {
          connectorId: 1,
          meterValue: [{ timestamp, sampledValue }],
        })
        check(Bun.deepEquals(answered(reply), {}), `${unit} at ${timestamp} was answered ${JSON.stringify(reply)}`)
      }
  }),
  robust("X-09", "Unknown and unsupported actions get their CALLERROR", async (stage) => {
    const chargePoint = await another(stage, "ACTIONS")
    answered(await chargePoint.provoke("BootNotification", BOOT))
    const unknown = code(await chargePoint.provoke("MakeCoffee", {}))
    check(unknown === "NotImplemented", `an unknown action was answered ${unknown}`)
    const unsupported = code(await chargePoint.provoke("RemoteStartTransaction", { idTag: "A" }))
    check(unsupported === "NotSupported", `an action of the other direction was answered ${unsupported}`)
  }),
  robust("X-10", "Faulty messages on a strict charge point get the codes of the standard", (stage) =>
    faults(stage, "strict"),
  ),
  robust("X-10-tolerant", "Faulty messages on a tolerant charge point are understood where they can be", (stage) =>
    faults(stage, "tolerant"),
  ),
  robust("X-11", "A CALL is answered while the central system waits for its own", async (stage) => {
    await booted(stage)
    const { result } = await stage.chargePoint.answering(
      "ClearCache",
      async () => {
        await authorize(stage, stage.values.validIdTag)
        return { status: "Rejected" }
      },
      () => stage.operator.perform("clearCache", {}),
    )
    check(result["status"] === "REJECTED", `the operator was told ${JSON.stringify(result)}`)
  }),
  robust("X-12", "A second command waits for the first; other charge points do not", async (stage) => {
    await booted(stage)
    const other = await another(stage, "OTHER")
    answered(await other.provoke("BootNotification", BOOT))
    const arrived = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    let answeredFirst = false
    const first = stage.chargePoint.answering(
      "ClearCache",
      async () => {
        arrived.resolve()
        await release.promise
        answeredFirst = true
        return { status: "Accepted" }
      },
      () => stage.operator.perform("clearCache", {}),
    )
    await arrived.promise
    const second = stage.chargePoint.answering(
      "UnlockConnector",
      async () => {
        check(answeredFirst, "the second CALL left before the first was answered")
        return { status: "Unlocked" }
      },
      () => stage.operator.perform("unlockConnector", { connectorId: 1 }),
    )
    const elsewhere = await other.answering("ClearCache", { status: "Accepted" }, () =>
      stage.operatorOf(other.identity).perform("clearCache", {}),
    )
    check(elsewhere.result["status"] === "ACCEPTED", "the other charge point was not served")
    release.resolve()
    await first
    const { result } = await second
    check(result["status"] === "UNLOCKED", `the operator was told ${JSON.stringify(result)}`)
  }),
  robust("X-13", "Before the identity was accepted only BootNotification is taken", async (stage) => {
    const chargePoint = await another(stage, "FRESH")
    const early = code(await chargePoint.provoke("Heartbeat", {}))
    check(early === "SecurityError", `a Heartbeat before acceptance was answered ${early}`)
    answered(await chargePoint.provoke("BootNotification", BOOT))
    answered(await chargePoint.provoke("Heartbeat", {}))
  }),
  robust("X-14", "A Pending charge point stays connected and configurable, and starts nothing", async (stage) => {
    const identity = `PENDING-${stage.suffix}`
    await stage.makeChargePoint({ identity, registrationStatus: "PENDING" })
    const chargePoint = await stage.connect({ identity })
    const confirmation = await chargePoint.call("BootNotification", BOOT)
    check(confirmation["status"] === "Pending", `BootNotification was answered ${String(confirmation["status"])}`)
    check(Number(confirmation["interval"]) > 0, "no interval was given")
    const operator = stage.operatorOf(identity)
    const { result } = await chargePoint.answering(
      "GetConfiguration",
      { configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "60" }] },
      () => operator.perform("getConfiguration", {}),
    )
    check(result.__typename === "GetConfigurationConfirmation", `the operator was told ${JSON.stringify(result)}`)
    for (const [operation, input] of [
      ["remoteStartTransaction", { idTag: stage.values.validIdTag, connectorId: 1 }],
      ["remoteStopTransaction", { transactionId: 1 }],
    ] as const) {
      const refused = await operator.perform(operation, input)
      check(refused.__typename === "NotAllowedNow", `${operation}: the operator was told ${JSON.stringify(refused)}`)
    }
  }),
  robust("X-15", "A Rejected charge point is told to wait, and is sent nothing", async (stage) => {
    const identity = `REJECTED-${stage.suffix}`
    await stage.makeChargePoint({ identity, registrationStatus: "REJECTED" })
    const chargePoint = await stage.connect({ identity })
    const confirmation = await chargePoint.call("BootNotification", BOOT)
    check(confirmation["status"] === "Rejected", `BootNotification was answered ${String(confirmation["status"])}`)
    check(Number(confirmation["interval"]) > 0, "no interval was given")
    const refused = await stage.operatorOf(identity).perform("clearCache", {})
    check(refused.__typename === "NotAllowedNow", `the operator was told ${JSON.stringify(refused)}`)
  }),
  robust("X-17", "Of two connections of one identity the newest wins", async (stage) => {
    await booted(stage)
    const newer = await stage.connect()
    await stage.chargePoint.closed
    const confirmation = await newer.call("Heartbeat", {})
    check("currentTime" in confirmation, "the newer connection is not served")
    const { result } = await newer.answering("ClearCache", { status: "Accepted" }, () =>
      stage.operator.perform("clearCache", {}),
    )
    check(result["status"] === "ACCEPTED", `the operator was told ${JSON.stringify(result)}`)
    const { chargePoint: seen } = await stage.operator.ask(
      "query ($identity: String!) { chargePoint(identity: $identity) { online } }",
      { identity: stage.chargePoint.identity },
    )
    check((seen as Payload)["online"] === true, "the late close of the older connection took the charge point offline")
  }),
  robust("X-18", "A ping is answered with a pong", async (stage) => {
    await booted(stage)
    await stage.chargePoint.ping()
    await status(stage, 1, "Available")
  }),
  robust("X-19", "The letter case of an idTag does not matter", async (stage) => {
    await booted(stage)
    await authorize(stage, stage.values.validIdTag.toLowerCase())
    const transactionId = await start(stage, { idTag: stage.values.validIdTag.toLowerCase() })
    const confirmation = await stage.chargePoint.call("StopTransaction", {
      transactionId,
      idTag: stage.values.validIdTag,
      meterStop: 2000,
      timestamp: instant(),
    })
    check(idTagStatus(confirmation) === "Accepted", `StopTransaction was answered ${JSON.stringify(confirmation)}`)
    await boot(stage)
  }),
]
