/** Many chargers of the load in one process: gathered, run for some seconds, and sent away. */
import { type Crew, LoadCharger, transactionIdIn } from "./charger.ts"
import { Faults, type FaultRecord } from "./faults.ts"
import { IDENTIFICATION, now } from "./frames.ts"
import { type Counts, Histogram } from "./histogram.ts"
import type { Dialect } from "./replies.ts"
import { isWithinTransaction, Script, type ScriptName, startOf } from "./script.ts"

export interface FleetPlan {
  /** Up to and including `/ocpp`. */
  url: string
  dialect: Dialect
  identities: readonly string[]
  idTags: readonly string[]
  script: ScriptName
  password?: string
  /** How long a reply is waited for, ms; 30,000 unless told. */
  patienceMs?: number
  /** How many may be on their way in at once; 200 unless told. */
  atOnce?: number
}

/** How the fleet came in. */
export interface Gathering {
  chargers: number
  /** From the first dialling to the last answer, ms. */
  ms: number
  /** From dialling to the first answer. */
  firstAnswer: Counts
}

export interface RunPlan {
  /** Of load before anything is counted. */
  warmupS: number
  seconds: number
  /** Messages that become due per second, spread over the fleet; left out: every charger sends as soon as it may. */
  ratePerSecond?: number
}

export interface RunResult {
  seconds: number
  answered: number
  /** Closed loop: from sending to the reply. With a rate: from when it was due to the reply. */
  latencies: Counts
}

const PATIENCE_MS = 30_000
const AT_ONCE = 200
const SWEEP_MS = 100
const PACE_MS = 1
/** For a second reply to the last CALLs. */
const QUIET_MS = 30
const WAIT_MS = 5

interface Window {
  from: number
  to: number
  histogram: Histogram
  answered: number
}

export class Fleet {
  readonly chargers: readonly LoadCharger[]
  /** Told of every scripted CALL before it leaves. */
  leaves: Crew["leaves"]
  readonly #plan: FleetPlan
  readonly #faults = new Faults()
  readonly #patienceMs: number
  readonly #sweep: Timer
  /** Whether a charger goes on by itself. */
  #isClosedLoop = false
  #window: Window | undefined
  #isPaced = false

  constructor(plan: FleetPlan, answer?: Crew["answer"]) {
    this.#plan = plan
    this.#patienceMs = plan.patienceMs ?? PATIENCE_MS
    const { url, dialect, password } = plan
    const crew: Crew = {
      url,
      dialect,
      faults: this.#faults,
      ...(password !== undefined && { password }),
      ...(answer && { answer }),
      leaves: (charger, number, dueAt) => this.leaves?.(charger, number, dueAt),
      ended: (charger, wasRight, dueAt) => this.#ended(charger, wasRight, dueAt),
    }
    this.chargers = plan.identities.map((identity, index) => new LoadCharger(crew, identity, index))
    this.#sweep = setInterval(() => this.#giveUp(), Math.min(SWEEP_MS, this.#patienceMs))
  }

  /** All that went wrong so far, in every phase. */
  get faults(): FaultRecord {
    return this.#faults.record()
  }

  /** Connects and boots all of them; who fails is counted and left out. OCPP 1.6 §4.2, §4.9. */
  async gather(): Promise<Gathering> {
    const firstAnswer = new Histogram()
    const startedAt = performance.now()
    const queue = this.chargers.entries()
    let came = 0
    const work = async () => {
      for (const [index, charger] of queue)
        await this.#bringIn(charger, index, firstAnswer).then(
          () => came++,
          () => undefined, // counted where it happened
        )
    }
    await Promise.all(Array.from({ length: this.#plan.atOnce ?? AT_ONCE }, work))
    return { chargers: came, ms: performance.now() - startedAt, firstAnswer: firstAnswer.counts() }
  }

  /** Resolves when the time is over, something was answered, and every outstanding CALL has ended. `measuring` is called at both ends of what counts. */
  async run(
    { warmupS, seconds, ratePerSecond }: RunPlan,
    measuring: (edge: "begin" | "end") => void = () => undefined,
  ): Promise<RunResult> {
    const startedAt = performance.now()
    const from = startedAt + warmupS * 1000
    const window: Window = { from, to: Infinity, histogram: new Histogram(), answered: 0 }
    this.#window = window
    this.#isPaced = ratePerSecond !== undefined
    const pace = ratePerSecond === undefined ? undefined : this.#pace(ratePerSecond, startedAt)
    this.#isClosedLoop = ratePerSecond === undefined
    if (this.#isClosedLoop) for (const charger of this.chargers) charger.next(performance.now())
    await Bun.sleep(Math.max(0, from - performance.now()))
    // What came during the warm-up is not counted, wherever a late timer puts its end.
    Object.assign(window, { from: performance.now(), answered: 0, histogram: new Histogram() })
    measuring("begin")
    await Bun.sleep(seconds * 1000)
    // A round in which nothing was answered is no figure.
    const deadline = window.from + this.#patienceMs
    while (window.answered === 0 && performance.now() < deadline) await Bun.sleep(WAIT_MS)
    window.to = performance.now()
    measuring("end")
    this.#isClosedLoop = false
    clearInterval(pace)
    await this.#settle()
    this.#window = undefined
    const { histogram, answered } = window
    return { seconds: (window.to - window.from) / 1000, answered, latencies: histogram.counts() }
  }

  /** Cuts every connection. */
  dismiss(): void {
    clearInterval(this.#sweep)
    for (const charger of this.chargers) charger.cut()
  }

  async #bringIn(charger: LoadCharger, index: number, firstAnswer: Histogram): Promise<void> {
    const { script: name, idTags, dialect } = this.#plan
    const dialledAt = performance.now()
    await charger.connect()
    await charger.call("BootNotification", IDENTIFICATION)
    firstAnswer.add(performance.now() - dialledAt)
    for (const connectorId of [0, 1])
      await charger.call("StatusNotification", { connectorId, errorCode: "NoError", status: "Available" })
    const idTag = idTags[index % idTags.length] ?? "IDTAG"
    const start = startOf(name, index)
    const isCharging = dialect === "ocpp" && isWithinTransaction(name, start)
    const transactionId = isCharging ? await begin(charger, idTag) : undefined
    charger.script = new Script({ name, idPrefix: charger.idPrefix, idTag, start, transactionId: transactionId ?? 1 })
  }

  #ended(charger: LoadCharger, wasRight: boolean, dueAt: number): void {
    const window = this.#window
    const at = performance.now()
    const counts = window !== undefined && isWithin(this.#isPaced ? dueAt : at, window)
    if (wasRight && counts) {
      window.answered++
      window.histogram.add(at - dueAt)
    }
    if (this.#isClosedLoop) charger.next(at)
  }

  #pace(ratePerSecond: number, startedAt: number): Timer {
    let sent = 0
    return setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) * ratePerSecond) / 1000)
      for (; sent < due; sent++)
        this.chargers[sent % this.chargers.length]?.next(startedAt + (sent * 1000) / ratePerSecond)
    }, PACE_MS)
  }

  #giveUp(): void {
    const sentBefore = performance.now() - this.#patienceMs
    for (const charger of this.chargers) charger.giveUp(sentBefore)
  }

  /** Until no CALL is outstanding any more: at the latest the sweep ends it. */
  async #settle(): Promise<void> {
    while (this.chargers.some((charger) => charger.isWaiting)) await Bun.sleep(WAIT_MS)
    await Bun.sleep(QUIET_MS)
  }
}

const isWithin = (at: number, { from, to }: Window): boolean => at >= from && at < to

/** A charger that is in the middle of charging when it is first heard. */
async function begin(charger: LoadCharger, idTag: string): Promise<number> {
  const started = { connectorId: 1, idTag, meterStart: 0, timestamp: now() }
  return transactionIdIn(await charger.call("StartTransaction", started))
}
