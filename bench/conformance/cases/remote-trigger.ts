/** The certificate's functionality Remote Trigger: 2 cases. */
import { operate, wordOf } from "../expectations.ts"
import { casesOf } from "../stage.ts"
import type { Case, Payload, Stage } from "../stage.ts"
import { booted, instant } from "../states.ts"

const trigger = casesOf("Remote Trigger")

/** Asks for a message; the connector is named where the operator names one. */
async function ask(stage: Stage, requestedMessage: string, answer: string, connectorId?: number): Promise<void> {
  const where = connectorId === undefined ? {} : { connectorId }
  await operate(stage, "TriggerMessage", {
    input: { requestedMessage: wordOf(requestedMessage), ...where },
    request: { requestedMessage, ...where },
    answer: { status: answer },
  })
}

/** The messages in the order of the document, each as the charge point then sends it. */
function messages({ values: { connectorId } }: Stage): [action: string, payload: Payload, connectorId?: number][] {
  const meterValue = [{ timestamp: instant(), sampledValue: [{ value: "1000" }] }]
  const connector = { connectorId, errorCode: "NoError", status: "Available", timestamp: instant() }
  return [
    ["MeterValues", { connectorId, meterValue }, connectorId],
    ["Heartbeat", {}],
    ["StatusNotification", connector, connectorId],
    ["DiagnosticsStatusNotification", { status: "Idle" }],
    ["FirmwareStatusNotification", { status: "Idle" }],
  ]
}

/** Asks for all of them; the last may be one that the charge point does not have. */
async function askForAll(stage: Stage, lastAnswer: "Accepted" | "NotImplemented"): Promise<void> {
  await booted(stage)
  for (const [action, payload, connectorId] of messages(stage)) {
    const answer = action === "FirmwareStatusNotification" ? lastAnswer : "Accepted"
    await ask(stage, action, answer, connectorId)
    if (answer === "Accepted") await stage.chargePoint.call(action, payload)
  }
}

export const remoteTriggerCases: readonly Case[] = [
  trigger(
    "054",
    "Trigger Message",
    { form: "all are sent", run: (stage) => askForAll(stage, "Accepted") },
    { form: "the last is not implemented", run: (stage) => askForAll(stage, "NotImplemented") },
  ),
  trigger(
    "055",
    "Trigger Message - Rejected",
    {
      form: "2024-04: a connector that does not exist",
      async run(stage) {
        await booted(stage)
        await ask(stage, "MeterValues", "Rejected", stage.values.connectors + 1)
      },
    },
    {
      form: "2025-06 and later: no connector",
      async run(stage) {
        await booted(stage)
        await ask(stage, "MeterValues", "Rejected")
      },
    },
  ),
]
