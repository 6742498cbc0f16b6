/** What happened while a case was played: its steps, every frame of its charge points, and how long each answer took. */
export type Actor = "charge point" | "central system" | "operator"

/** One act of the script. */
export interface Step {
  at: string
  actor: Actor
  does: string
}

/** A frame as it was on the wire. */
export interface Message {
  at: string
  /** The identity. */
  chargePoint: string
  from: "charge point" | "central system"
  frame: string
}

/** From the leaving of a charge point's CALL to the arrival of its answer. */
export interface ResponseTime {
  action: string
  ms: number
}

/** The longest sentence that a step is told in. */
const LONGEST = 300

export class Transcript {
  readonly steps: Step[] = []
  readonly messages: Message[] = []
  readonly responseTimes: ResponseTime[] = []
  /** CALLs of charge points that wait for their answers, by connection and unique id. */
  readonly #waiting = new Map<string, { action: string; since: number }>()

  step(actor: Actor, does: string, details?: unknown): void {
    const sentence = details === undefined ? does : `${does} ${JSON.stringify(details)}`
    this.steps.push({ at: now(), actor, does: sentence.slice(0, LONGEST) })
  }

  /** Takes down a frame of a charge point. */
  sent(chargePoint: string, frame: string): void {
    this.messages.push({ at: now(), chargePoint, from: "charge point", frame })
    const [type, uniqueId, action] = partsOf(frame)
    if (type === 2)
      this.#waiting.set(`${chargePoint} ${uniqueId}`, { action: String(action), since: performance.now() })
  }

  /** Takes down a frame of the central system. */
  received(chargePoint: string, frame: string): void {
    const arrivedAt = performance.now()
    this.messages.push({ at: now(), chargePoint, from: "central system", frame })
    const [type, uniqueId] = partsOf(frame)
    if (type !== 3 && type !== 4) return
    const call = this.#waiting.get(`${chargePoint} ${uniqueId}`)
    if (!call) return
    this.#waiting.delete(`${chargePoint} ${uniqueId}`)
    this.responseTimes.push({ action: call.action, ms: arrivedAt - call.since })
  }
}

const now = (): string => new Date().toISOString()

function partsOf(frame: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(frame)
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}
