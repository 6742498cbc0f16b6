/** A charger that writes down what was acknowledged, and says again, word for word, what was not. OCPP 1.6 §3.7. */
import { type Crew, LoadCharger, transactionIdIn } from "./charger.ts"
import { IDENTIFICATION, meterValues } from "./frames.ts"

/** One transaction, as far as the central system has acknowledged it. */
export interface Entry {
  transactionId: number
  meterStart: number
  /** Instants of the acknowledged readings. */
  readings: string[]
  meterStop?: number
}

const VALUES = 3
const REDIAL_MS = 50
/** A node is away for seconds, not for this long. */
const MAX_ATTEMPTS = 1200

export class Diarist {
  readonly diary: Entry[] = []
  readonly identity: string
  acknowledged = 0
  readonly #charger: LoadCharger
  readonly #idTag: string
  #goesOn = true
  #meter = 0
  /** Instants of readings never repeat, whatever the clock says. */
  #instant = Date.now()
  #back = Promise.withResolvers<void>()

  constructor(crew: Crew, identity: string, index: number, idTag: string) {
    this.identity = identity
    this.#charger = new LoadCharger(crew, identity, index)
    this.#idTag = idTag
  }

  /** One transaction after the other until told to finish; the last is brought to its end. @throws what `#deliver` throws */
  async work(): Promise<void> {
    while (this.#goesOn) {
      const meterStart = this.#register()
      const timestamp = this.#now()
      const started = { connectorId: 1, idTag: this.#idTag, meterStart, timestamp }
      const transactionId = transactionIdIn(await this.#deliver("StartTransaction", started))
      const entry: Entry = { transactionId, meterStart, readings: [] }
      this.diary.push(entry)
      for (let value = 0; value < VALUES; value++) {
        const instant = this.#now()
        await this.#deliver("MeterValues", meterValues(transactionId, instant, String(this.#register())))
        entry.readings.push(instant)
      }
      const meterStop = this.#register()
      await this.#deliver("StopTransaction", { transactionId, idTag: this.#idTag, meterStop, timestamp: this.#now() })
      entry.meterStop = meterStop
    }
  }

  /** Whether the central system is about to fall, or has. */
  expectLoss(expects: boolean): void {
    this.#charger.expectsLoss = expects
  }

  /** Resolves once a message is acknowledged from now on. */
  nextAcknowledgement(): Promise<void> {
    this.#back = Promise.withResolvers()
    return this.#back.promise
  }

  finish(): void {
    this.#goesOn = false
  }

  leave(): void {
    this.#charger.cut()
  }

  /** Waits no longer for a reply to a CALL that was sent before, in ms of performance.now(). */
  giveUp(sentBefore: number): void {
    this.#charger.giveUp(sentBefore)
  }

  /** Until it is acknowledged, over as many connections as it takes. @throws the last failure when it never is */
  async #deliver(action: string, payload: object): Promise<Awaited<ReturnType<LoadCharger["call"]>>> {
    for (let attempts = 1; ; attempts++) {
      try {
        if (!this.#charger.isOpen) await this.#comeIn()
        const confirmation = await this.#charger.call(action, payload)
        this.acknowledged++
        this.#back.resolve()
        return confirmation
      } catch (cause) {
        // Counted where it happens, unless it is expected; it must only not go on for ever.
        if (attempts >= MAX_ATTEMPTS) throw cause
        await Bun.sleep(REDIAL_MS)
      }
    }
  }

  async #comeIn(): Promise<void> {
    await this.#charger.connect()
    await this.#charger.call("BootNotification", IDENTIFICATION)
  }

  #register(): number {
    this.#meter += 10
    return this.#meter
  }

  #now(): string {
    this.#instant = Math.max(this.#instant + 1, Date.now())
    return new Date(this.#instant).toISOString()
  }
}
