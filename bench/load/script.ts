/** What a charger of the load says, over and over, and what it has to remember for that. */
import { callFrame, digits, meterValues, now, PreparedCall } from "./frames.ts"

export type Step =
  | "Authorize"
  | "Heartbeat"
  | "MeterValues"
  | "StartTransaction"
  | "StopTransaction"
  | "Available"
  | "Preparing"
  | "Charging"
  | "Finishing"

const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step)

const SCRIPTS = {
  heartbeat: ["Heartbeat"],
  "meter-values": ["MeterValues"],
  /** One visit of a driver in as few messages as can be. */
  transactions: ["Authorize", "StartTransaction", ...times(3, "MeterValues"), "StopTransaction"],
  /** A day of a charge point, with its states and its idle time. */
  mixed: [
    ...times(4, "Heartbeat"),
    ...(["Preparing", "Authorize", "StartTransaction", "Charging"] as const),
    ...times(10, "MeterValues"),
    ...(["Heartbeat", "StopTransaction", "Finishing", "Available"] as const),
  ],
} satisfies Record<string, readonly Step[]>

export type ScriptName = keyof typeof SCRIPTS

const STATES: ReadonlySet<Step> = new Set(["Available", "Preparing", "Charging", "Finishing"] as const)

const OF_TRANSACTIONS: ReadonlySet<Step> = new Set(["StartTransaction", "MeterValues", "StopTransaction"])

/** Where the charger with this index begins: a fleet is not in step, so that each begins at another one. */
export const startOf = (name: ScriptName, index: number): number => index % SCRIPTS[name].length

/** Whether what is said from this step on is of a transaction that has begun before. */
export function isWithinTransaction(name: ScriptName, start: number): boolean {
  const steps: readonly Step[] = SCRIPTS[name]
  const first = [...steps.slice(start), ...steps].find((step) => OF_TRANSACTIONS.has(step))
  return first !== undefined && first !== "StartTransaction"
}

export class Script {
  /** Of the CALL that was taken last. */
  action = ""
  readonly #steps: readonly Step[]
  readonly #idPrefix: string
  readonly #idTag: string
  #position: number
  #transactionId: number | undefined
  /** Made for the transaction that runs. */
  #meterValues: PreparedCall | undefined
  #heartbeat: PreparedCall | undefined

  /**
   * @param start with which of the steps to begin
   * @param transactionId of the transaction that runs already
   */
  constructor(options: {
    name: ScriptName
    idPrefix: string
    idTag: string
    start?: number
    transactionId?: number | undefined
  }) {
    this.#steps = SCRIPTS[options.name]
    this.#idPrefix = options.idPrefix
    this.#idTag = options.idTag
    this.#position = options.start ?? 0
    this.#transactionId = options.transactionId
  }

  /** The frame of the next CALL, with this number in its unique id. Valid until the next call. */
  take(number: number): Buffer {
    const step = this.#steps[this.#position++ % this.#steps.length] ?? "Heartbeat"
    this.action = STATES.has(step) ? "StatusNotification" : step
    if (step === "Heartbeat") {
      this.#heartbeat ??= new PreparedCall(this.#idPrefix, "Heartbeat", {})
      return this.#heartbeat.stamped(digits(number))
    }
    if (step === "MeterValues") {
      this.#meterValues ??= new PreparedCall(this.#idPrefix, "MeterValues", meterValues(this.#transactionId))
      return this.#meterValues.stamped(digits(number))
    }
    return callFrame(this.#idPrefix + digits(number), this.action, this.#payload(step, number))
  }

  /** A transaction has begun. */
  begun(transactionId: number): void {
    this.#transactionId = transactionId
    this.#meterValues = undefined
  }

  /** Begins anew: a CALL was not answered as it should be, and what follows would rest on it. */
  restart(): void {
    if (this.#steps.includes("StartTransaction")) this.#position = 0
  }

  /** The register counts the messages, Wh, as it does in MeterValues: it rises from start to stop. */
  #payload(step: Step, meter: number): object {
    if (step === "Authorize") return { idTag: this.#idTag }
    if (step === "StartTransaction") return { connectorId: 1, idTag: this.#idTag, meterStart: meter, timestamp: now() }
    if (step === "StopTransaction")
      return {
        transactionId: this.#transactionId ?? 0,
        idTag: this.#idTag,
        meterStop: meter,
        timestamp: now(),
        reason: "Local",
      }
    return { connectorId: 1, errorCode: "NoError", status: step, timestamp: now() }
  }
}
