/** What goes wrong in the field, on purpose: networks, clocks of humans, firmware and hardware. */
import type { Exchange } from "./conversation.ts"
import { between, pick, type Random, untilNext } from "./random.ts"
import type { Station } from "./station.ts"
import { noteAnomaly } from "./statistics.ts"
import { unobserved } from "./wire.ts"

export const FAULT_LEVELS = ["none", "some", "many"] as const
export type FaultLevel = (typeof FAULT_LEVELS)[number]

/** Mean seconds between two faults of one charge point. */
const MEAN_SECONDS = { some: 120, many: 15 }

/** One kind of fault; it may last, and is over when it resolves. */
export type Fault = (station: Station, random: Random, lastStart: Exchange | undefined) => Promise<void>

const CONNECTOR_ERRORS = ["GroundFailure", "HighTemperature", "OverCurrentFailure", "PowerMeterFailure"] as const

export const faults = {
  /** The network falls without a word and comes back. */
  droppedConnection: async ({ chargePoint }) => chargePoint.terminate(),

  /** Away for a while; what transactions have to tell waits in the backlog. */
  offlinePeriod: async ({ chargePoint }, random) => {
    await chargePoint.disconnect(1001, "going dark")
    await Bun.sleep(between(random, 3000, 20_000))
    await chargePoint.connect().catch(unobserved)
  },

  /** A slow modem: answers leave late for a while. */
  lateAnswers: async ({ chargePoint }, random) => {
    chargePoint.answerDelayMs = () => between(random, 500, 4000)
    await Bun.sleep(20_000)
    chargePoint.answerDelayMs = () => 0
  },

  /** Text that is no frame, or no frame of OCPP 1.6. */
  malformedFrame: async ({ chargePoint }, random) => {
    const uniqueId = `malformed-${Math.floor(random() * 1e9)}`
    const frame = pick(random, [
      "",
      "{}",
      `[2,"${uniqueId}","Heartbeat",{}`,
      `[2,"${uniqueId}","StartTransaction",{"connectorId":,}]`,
      `[2,"${uniqueId}","Teleport",{}]`,
      `[2,"${uniqueId}","StatusNotification",{"connectorId":"one"}]`,
      `[9,"${uniqueId}",{}]`,
    ])
    // Some central systems answer what they cannot read with the id −1.
    chargePoint.send(frame, "-1")
    chargePoint.excuse(uniqueId)
  },

  /** An answer got lost on the way: the same StartTransaction again, which must get the same answer. OCPP 1.6 §3.7.1. */
  repeatedMessage: async ({ chargePoint }, _random, lastStart) => {
    if (!lastStart) return
    const { action, payload, uniqueId, confirmation } = lastStart
    const again = await chargePoint.call(action, payload, uniqueId)
    if (again["transactionId"] === confirmation["transactionId"]) return
    const example = `${chargePoint.identity}: ${uniqueId} ${JSON.stringify(confirmation)}, then ${JSON.stringify(again)}`
    noteAnomaly(chargePoint.statistics, "inconsistent", example)
  },

  /** A connector fails, with whatever was running on it, and is repaired. */
  connectorFault: async (station, random) => {
    const connector = station.connector(1 + Math.floor(random() * station.connectors.length))
    connector?.fail(pick(random, CONNECTOR_ERRORS))
    await station.aWhile(600)
    connector?.repair()
  },
} satisfies Record<string, Fault>

/** Lets faults befall a charge point from now on; returns what ends it. */
export function plague(
  station: Station,
  level: FaultLevel,
  random: Random,
  counted: (fault: string) => void,
): () => void {
  if (level === "none") return () => undefined
  const { chargePoint } = station
  const kinds: readonly Fault[] = Object.values(faults)
  const names = Object.keys(faults)
  let lastStart: Exchange | undefined
  let over = false
  let timer: Timer | undefined
  chargePoint.onExchange((exchange) => {
    if (exchange.action === "StartTransaction") lastStart = exchange
  })
  const next = () => {
    if (!over) timer = setTimeout(befall, untilNext(random, MEAN_SECONDS[level] * 1000))
  }
  const befall = () => {
    const index = Math.floor(random() * kinds.length)
    const fault = kinds[index]
    // One trouble at a time, and none for a charge point that is not at work.
    if (!fault || !chargePoint.online || station.registration !== "Accepted") return next()
    counted(names[index] ?? "")
    fault(station, random, lastStart).catch(unobserved).finally(next)
  }
  next()
  return () => {
    over = true
    clearTimeout(timer)
  }
}
