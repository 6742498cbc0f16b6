/** When to ping a silent peer, and when it is dead. WebSocket pings keep mobile links open and find half-open ones. OCPP-J 1.6 §5.3. */

export type Life = "alive" | "ping" | "unanswered" | "dead"

/** Some charge points never answer a ping: they are given this many heartbeats to be heard of. */
const HEARTBEATS = 2

export class KeepAlive {
  readonly #pingIntervalMs: number
  #pingedAt: number
  #hasPinged = false
  #hasPonged = false
  #isNoted = false

  constructor(pingIntervalMs: number, now: number) {
    this.#pingIntervalMs = pingIntervalMs
    this.#pingedAt = now
  }

  ponged(): void {
    this.#hasPonged = true
  }

  /**
   * `ping`: the peer has been silent for an interval. `dead`: for two, although it answered pings before; or, where it
   * never did, for two heartbeats. `unanswered`, once: heard of, but not by a pong.
   */
  check(now: number, lastSeenAt: number, heartbeatMs: number): Life {
    const silentMs = now - lastSeenAt
    const patienceMs = 2 * this.#pingIntervalMs
    if (silentMs >= (this.#hasPonged ? patienceMs : Math.max(patienceMs, HEARTBEATS * heartbeatMs))) return "dead"
    if (!this.#hasPonged && !this.#isNoted && this.#wasIgnored(now, lastSeenAt)) {
      this.#isNoted = true
      return "unanswered"
    }
    if (silentMs < this.#pingIntervalMs || now - this.#pingedAt < this.#pingIntervalMs) return "alive"
    this.#pingedAt = now
    this.#hasPinged = true
    return "ping"
  }

  /** A ping went out an interval ago, and something else came since. */
  #wasIgnored(now: number, lastSeenAt: number): boolean {
    return this.#hasPinged && lastSeenAt > this.#pingedAt && now - this.#pingedAt >= this.#pingIntervalMs
  }
}
