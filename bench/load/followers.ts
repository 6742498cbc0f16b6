/** A subscriber for each charger of a fleet, over graphql-transport-ws: every reading must come to it, once. */
import { Faults, type FaultRecord } from "./faults.ts"
import type { Fleet, RunPlan, RunResult } from "./fleet.ts"
import { Histogram } from "./histogram.ts"
import { dial, textFrame } from "./socket.ts"

export interface FollowersPlan {
  /** ws: or http:, whole. */
  graphqlUrl: string
  token: string
  identities: readonly string[]
  patienceMs?: number
}

const DOCUMENT = `subscription ($chargePoint: String!) {
  meterValuesReceived(chargePoint: $chargePoint) { meterValues { sampledValues { measurand value } } }
}`
/** The register carries the number of the CALL: nothing else that is sampled has eight digits. */
const NUMBER = /"value":"(\d{8})"/g
const AT_ONCE = 50
const PATIENCE_MS = 10_000
const PRIMING_S = 0.5

export class Followers {
  readonly #plan: FollowersPlan
  readonly #fleet: Fleet
  readonly #faults = new Faults()
  /** By charger: when the readings were due that have not come yet, by the number of their CALL. */
  readonly #due: Map<number, number>[]
  readonly #isPrimed: boolean[]
  #histogram = new Histogram()
  #isTiming = false

  constructor(plan: FollowersPlan, fleet: Fleet) {
    this.#plan = plan
    this.#fleet = fleet
    this.#due = plan.identities.map(() => new Map())
    this.#isPrimed = plan.identities.map(() => false)
    fleet.leaves = ({ index }, number, dueAt) => void this.#due[index]?.set(number, dueAt)
  }

  /** All that went wrong, at the chargers too. */
  get faults(): FaultRecord {
    const all = new Faults()
    all.add(this.#faults.record())
    all.add(this.#fleet.faults)
    return all.record()
  }

  /** Subscribes all, and resolves when every one has been told something. @throws Error when that does not happen in time */
  async gather(): Promise<void> {
    const queue = this.#plan.identities.entries()
    const work = async () => {
      for (const [index, identity] of queue) await this.#subscribe(index, identity)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const deadline = performance.now() + 3 * this.#patienceMs
    // Nothing tells a subscriber that it is one, except an event.
    const ratePerSecond = this.#plan.identities.length * 3
    do {
      if (performance.now() > deadline) throw new Error("not every subscriber was told of a reading")
      await this.#fleet.run({ warmupS: 0, seconds: PRIMING_S, ratePerSecond })
    } while (!this.#isPrimed.every(Boolean))
  }

  /** Load at a pace; counts readings at their subscribers, from when they were due. */
  async run(plan: Omit<RunPlan, "warmupS">, measuring: (edge: "begin" | "end") => void): Promise<RunResult> {
    await this.#catchUp()
    this.#histogram = new Histogram()
    this.#isTiming = true
    const { seconds } = await this.#fleet.run({ ...plan, warmupS: 0 }, measuring)
    await this.#catchUp()
    this.#isTiming = false
    return { seconds, answered: this.#histogram.count, latencies: this.#histogram.counts() }
  }

  get #patienceMs(): number {
    return this.#plan.patienceMs ?? PATIENCE_MS
  }

  #read(index: number, text: string): void {
    const due = this.#due[index]
    for (const [, digits] of text.matchAll(NUMBER)) {
      const number = Number(digits)
      const dueAt = due?.get(number)
      if (dueAt === undefined) this.#faults.note("doubled", text)
      else if (this.#isTiming) this.#histogram.add(performance.now() - dueAt)
      due?.delete(number)
      if (this.#isPrimed[index]) continue
      // What left before it had subscribed is not for it.
      this.#isPrimed[index] = true
      for (const earlier of due?.keys() ?? []) if (earlier < number) due?.delete(earlier)
    }
  }

  /** Until everything that left has come; what has not after a while is missing. */
  async #catchUp(): Promise<void> {
    const deadline = performance.now() + this.#patienceMs
    while (this.#due.some((due) => due.size > 0) && performance.now() < deadline) await Bun.sleep(10)
    for (const [index, due] of this.#due.entries()) {
      for (const number of due.keys())
        this.#faults.note("missing", `${this.#plan.identities[index]}: reading ${number}`)
      due.clear()
    }
  }

  #subscribe(index: number, chargePoint: string): Promise<void> {
    const { graphqlUrl, token } = this.#plan
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket = dial(
      { url: new URL(graphqlUrl.replace(/^http/, "ws")), protocol: "graphql-transport-ws" },
      {
        opened: () => say({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
        text: (text) => {
          if (text.includes('"type":"next"')) this.#read(index, text)
          else if (text.includes('"type":"connection_ack"')) {
            say({ id: "1", type: "subscribe", payload: { query: DOCUMENT, variables: { chargePoint } } })
            resolve()
          } else if (text.includes('"type":"ping"')) say({ type: "pong" })
          else this.#faults.note("error", text)
        },
        closed: (reason) => {
          reject(new Error(reason))
          this.#faults.note("lost", reason)
        },
      },
    )
    const say = (message: object) => socket.send(textFrame(JSON.stringify(message)))
    return promise
  }
}
