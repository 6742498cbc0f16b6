/** Charge points at work, which keep a record of every message that the central system has acknowledged. */
import { ChargePoint } from "../../bench/charge-point.ts"
import { pick, type Random, seeded } from "../../bench/random.ts"
import { ConnectionLost } from "../../bench/wire.ts"
import { type Ask, createChargePoint, createIdTag } from "./graphql.ts"
import { operatorAt } from "./operator.ts"

/** A node, as charge points and operators see it. */
export interface Place {
  readonly ocppUrl: string
  readonly graphqlUrl: string
}

export interface TrafficOptions {
  /** Where charge points connect and commands are given; at each session it is drawn anew. */
  places: () => readonly [Place, ...Place[]]
  chargers: number
  /** Identities are this and a number. */
  prefix: string
  seed: number
  token: string
  /** How likely a charge point goes to another place between two sessions; 0 unless told. */
  hops?: number
  /** How likely an operator gives a command during a session; 0 unless told. */
  commands?: number
}

const ID_TAG = "TRAFFIC"

/** One charge point: its messages go out one after the other, and what was answered is written down. */
export class Charger {
  readonly identity: string
  /** The end of its identity, which fits into an `info`. */
  readonly name: string
  /** The `info` of its StatusNotifications that were acknowledged. */
  readonly statuses: string[] = []
  /** The instants of its readings that were acknowledged. */
  readonly readings: string[] = []
  readonly started: number[] = []
  readonly stopped: number[] = []
  /** The idempotency keys of the commands it has answered. */
  readonly commands: string[] = []
  readonly #options: TrafficOptions
  readonly #from: number
  readonly #random: Random
  readonly #noted: () => void
  #chargePoint: ChargePoint | undefined
  #count = 0

  /** `from`: an instant, ms; the next 10,000 seconds are this charge point's alone. */
  constructor(options: TrafficOptions, index: number, from: number, noted: () => void) {
    this.identity = `${options.prefix}${index}`
    this.name = this.identity.slice(-30)
    this.#options = options
    this.#from = from
    this.#random = seeded(options.seed * 7919 + index)
    this.#noted = noted
  }

  /** Opens a socket at one of the places and boots; the old socket is closed before that, or left to be superseded. */
  async connect(place = pick(this.#random, this.#options.places())): Promise<void> {
    const before = this.#chargePoint
    if (this.#random() < 0.5) await before?.close()
    const chargePoint = new ChargePoint({ url: place.ocppUrl, identity: this.identity })
    chargePoint.onCall("ClearCache", () => ({ status: "Accepted" }))
    this.#chargePoint = chargePoint
    await chargePoint.connect()
    await chargePoint.boot()
    await before?.close()
  }

  /** One session, from plugging in to driving away. @throws ConnectionLost */
  async charge(): Promise<void> {
    const { hops = 0, commands = 0 } = this.#options
    if (this.#chargePoint === undefined || this.#random() < hops) await this.connect()
    await this.report("Preparing")
    const transactionId = await this.start()
    await this.report("Charging")
    const commanded = this.#random() < commands ? this.#command() : undefined
    await this.#measure(transactionId)
    await this.#measure(transactionId)
    await this.stop(transactionId)
    await commanded
    await this.report("Available")
  }

  /** A status that no other report of this charge point repeats. */
  async report(status: string): Promise<void> {
    const info = `${this.name} ${++this.#count}`
    await this.#call("StatusNotification", { connectorId: 1, errorCode: "NoError", status, info })
    this.statuses.push(info)
  }

  async start(): Promise<number> {
    const request = { connectorId: 1, idTag: ID_TAG, meterStart: this.#count, timestamp: this.#now() }
    const { transactionId } = await this.#call("StartTransaction", request)
    this.started.push(transactionId)
    return transactionId
  }

  async stop(transactionId: number): Promise<void> {
    await this.#call("StopTransaction", { transactionId, meterStop: this.#count, timestamp: this.#now() })
    this.stopped.push(transactionId)
  }

  /** Goes away; a central system that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#chargePoint?.terminate()
    await this.#chargePoint?.close()
  }

  async #measure(transactionId: number): Promise<void> {
    const timestamp = this.#now()
    const meterValue = [{ timestamp, sampledValue: [{ value: String(this.#count) }] }]
    await this.#call("MeterValues", { connectorId: 1, transactionId, meterValue })
    this.readings.push(timestamp)
  }

  async #command(): Promise<void> {
    const operator = operatorAt(pick(this.#random, this.#options.places()).graphqlUrl, this.#options.token)
    const idempotencyKey = `${this.identity} ${++this.#count}`
    const { __typename } = await operator.clearCache(this.identity, { idempotencyKey })
    if (__typename === "ClearCacheConfirmation") this.commands.push(idempotencyKey)
  }

  async #call<Action extends string>(action: Action, payload: object) {
    const chargePoint = this.#chargePoint
    if (chargePoint === undefined) throw new ConnectionLost(`${this.identity} has never connected`)
    const confirmation = await chargePoint.call(action, payload)
    this.#noted()
    return confirmation
  }

  /** An instant that no other message of any charge point has. */
  #now(): string {
    return new Date(this.#from + ++this.#count * 1000).toISOString()
  }
}

let chargersSoFar = 0

export class Traffic implements AsyncDisposable {
  readonly chargers: readonly Charger[]
  /** What the identities begin with. */
  readonly prefix: string
  /** How many messages were answered. */
  acknowledged = 0
  /** Whether the last `run` has come to its end. */
  isOver = false

  constructor(options: TrafficOptions) {
    this.prefix = options.prefix
    this.chargers = Array.from(
      { length: options.chargers },
      (_, index) =>
        new Charger(
          options,
          index,
          Date.UTC(2026, 0, 1) + chargersSoFar++ * 10_000_000,
          () => void this.acknowledged++,
        ),
    )
  }

  /** Makes the charge points and their idTag known. */
  async enrol(ask: Ask): Promise<void> {
    await createIdTag(ask, { idTag: ID_TAG }).catch(() => undefined)
    await Promise.all(this.chargers.map(({ identity }) => createChargePoint(ask, { identity })))
  }

  /** Every charge point charges so many times, all at once. */
  async run(sessions: number): Promise<void> {
    this.isOver = false
    try {
      await this.#all(async (charger) => {
        for (let session = 0; session < sessions; session++) await charger.charge()
      })
    } finally {
      this.isOver = true
    }
  }

  /** Every charge point reports so many statuses, all at once. */
  report(times: number): Promise<void> {
    return this.#all(async (charger) => {
      for (let time = 0; time < times; time++) await charger.report("Available")
    })
  }

  /** Every charge point charges until it is told to stop, or loses its connection. */
  start(): { stop(): Promise<void> } {
    let stopping = false
    const running = this.#all(async (charger) => {
      try {
        while (!stopping) await charger.charge()
      } catch (cause) {
        if (!(cause instanceof ConnectionLost)) throw cause
      }
    })
    running.catch(() => undefined)
    return {
      stop() {
        stopping = true
        return running
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all((charger) => charger.close())
  }

  async #all(work: (charger: Charger) => Promise<void>): Promise<void> {
    await Promise.all(this.chargers.map(work))
  }
}
