/** What the standard asks of a central system and the certification's test tool leaves out; ids of our own. */
import { operate, sent, wordOf } from "../expectations.ts"
import { another, answered, BOOT, bootOf, code } from "../further-charge-point.ts"
import { casesOf, check, Refused } from "../stage.ts"
import type { Case, Connecting, Payload, ScriptedChargePoint, Stage } from "../stage.ts"
import { authorize, boot, booted, charging, idTagStatus, instant, start, status, stop } from "../states.ts"
import { METER_VALUE, sendFaultyMessages } from "./faulty-messages.ts"

const robust = casesOf("Robustness")

/** The HTTP status with which an upgrade is refused, or the charge point that is let in. */
async function upgrade(stage: Stage, connecting: Connecting): Promise<number | ScriptedChargePoint> {
  try {
    return await stage.connect(connecting)
  } catch (cause) {
    if (cause instanceof Refused) return cause.status
    throw cause
  }
}

async function refusal(stage: Stage, connecting: Connecting): Promise<number> {
  const answer = await upgrade(stage, connecting)
  check(typeof answer === "number", "the upgrade was not refused")
  return answer
}

/** Whoever is let in without being known must have become known by that; is not any more after it. */
async function removeRegistered(stage: Stage, chargePoint: ScriptedChargePoint): Promise<void> {
  const { identity } = chargePoint
  const { result } = await stage.operator.ask(
    `mutation ($identity: String!) {
      result: deleteChargePoint(input: { identity: $identity }) { __typename ... on Error { message } }
    }`,
    { identity },
  )
  const { __typename, message } = result as Payload
  check(
    message === undefined,
    `the upgrade was not refused, nor was the charge point registered: ${String(__typename)}`,
  )
  await chargePoint.closed()
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

/** What a differential update leaves behind when the charge point did not take it: the truth, and the operator's choice. */
async function afterFailedDifferential(stage: Stage, answer: string): Promise<void> {
  await booted(stage)
  const { validIdTag, childIdTag, parentIdTag } = stage.values
  const valid = { idTag: validIdTag, idTagInfo: { status: "Accepted" } }
  const child = { idTag: childIdTag, idTagInfo: { status: "Accepted", parentIdTag } }
  const send = async (updateType: "Full" | "Differential", entries: (typeof valid)[], status: string) => {
    const { request } = await operate(stage, "SendLocalList", {
      input: { updateType: wordOf(updateType), idTags: entries.map(({ idTag }) => idTag) },
      answer: { status },
    })
    const { listVersion } = request
    sent(request, { updateType, listVersion, localAuthorizationList: entries })
    return Number(listVersion)
  }
  const held = await send("Full", [valid], "Accepted")
  await send("Differential", [child], answer)
  await stage.chargePoint.settle()
  await stage.until(
    `${wordOf(answer)} is shown, and a full list advised`,
    ({ chargePoint }) =>
      Bun.deepEquals(chargePoint, { localList: { lastStatus: wordOf(answer), fullUpdateAdvised: true } }),
    "query ($identity: String!) { chargePoint(identity: $identity) { localList { lastStatus fullUpdateAdvised } } }",
  )
  const resent = await send("Full", [valid, child], "Accepted")
  check(resent > held, `version ${resent} does not follow ${held}`)
}

export const robustnessCases: readonly Case[] = [
  robust(
    "X-01",
    "An unknown identity is refused (404, 401 where they are hidden), unless registration is open",
    async (stage) => {
      const identity = `UNKNOWN-${stage.suffix}`
      const answer = await upgrade(stage, { identity })
      if (typeof answer === "number") check(answer === 404 || answer === 401, `refused with ${answer}`)
      else await removeRegistered(stage, answer)
    },
  ),
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
    await bootOf(chargePoint)
  }),
  robust("X-03", "A percent-encoded identity is decoded and matched", async (stage) => {
    const identity = `RDAM 123|${stage.suffix}/ä%`
    await stage.makeChargePoint({ identity })
    const chargePoint = await stage.connect({ identity })
    await bootOf(chargePoint)
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
    const chargePoint = await another(stage, "UNITS", { leniency: "TOLERANT" })
    await bootOf(chargePoint)
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
    await bootOf(chargePoint)
    const unknown = code(await chargePoint.provoke("MakeCoffee", {}))
    check(unknown === "NotImplemented", `an unknown action was answered ${unknown}`)
    const unsupported = code(await chargePoint.provoke("RemoteStartTransaction", { idTag: "A" }))
    check(unsupported === "NotSupported", `an action of the other direction was answered ${unsupported}`)
  }),
  robust(
    "X-10",
    "Faulty messages get the codes of the standard, or are understood where they can be",
    { form: "on a strict charge point", run: (stage) => sendFaultyMessages(stage, "strict") },
    { form: "on a tolerant charge point", run: (stage) => sendFaultyMessages(stage, "tolerant") },
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
    await bootOf(other)
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
    const afterwards = async () => {
      await Promise.race([arrived.promise, first])
      const second = stage.chargePoint.answering(
        "UnlockConnector",
        async () => {
          check(answeredFirst, "the second CALL left before the first was answered")
          return { status: "Unlocked" }
        },
        () => stage.operator.perform("unlockConnector", { connectorId: 1 }),
      )
      const elsewhere = other
        .answering("ClearCache", { status: "Accepted" }, () =>
          stage.operatorOf(other.identity).perform("clearCache", {}),
        )
        .finally(release.resolve)
      return Promise.all([elsewhere, second])
    }
    const [, [elsewhere, second]] = await Promise.all([first, afterwards()])
    check(elsewhere.result["status"] === "ACCEPTED", "the other charge point was not served")
    sent(second.request, { connectorId: 1 })
    check(second.result["status"] === "UNLOCKED", `the operator was told ${JSON.stringify(second.result)}`)
  }),
  robust("X-13", "Before the identity was accepted only BootNotification is taken", async (stage) => {
    const chargePoint = await another(stage, "FRESH")
    const early = code(await chargePoint.provoke("Heartbeat", {}))
    check(early === "SecurityError", `a Heartbeat before acceptance was answered ${early}`)
    await bootOf(chargePoint)
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
    const configurationKey = [{ key: "HeartbeatInterval", readonly: false, value: "60" }]
    const { result } = await operate({ chargePoint, operator }, "GetConfiguration", {
      request: {},
      answer: { configurationKey },
    })
    check(Bun.deepEquals(result["configurationKey"], configurationKey), `the operator saw ${JSON.stringify(result)}`)
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
  robust(
    "X-16",
    "A differential list that failed is followed by a full one only when the operator wants it",
    ...["Failed", "VersionMismatch"].map((answer) => ({
      form: answer,
      run: (stage: Stage) => afterFailedDifferential(stage, answer),
    })),
  ),
  robust("X-17", "Of two connections of one identity the newest wins", async (stage) => {
    await booted(stage)
    const newer = await stage.connect()
    await stage.chargePoint.closed()
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
