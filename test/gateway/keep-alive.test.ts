import { describe, expect, test } from "bun:test"
import { KeepAlive } from "../../src/gateway/keep-alive.ts"

const INTERVAL = 60_000

/** Looks every second until something happens; when (ms) and what. `heard` tells when the peer was last heard of. */
function next(keepAlive: KeepAlive, from: number, heartbeatMs: number, heard: (now: number) => number) {
  for (let now = from; now < from + 86_400_000; now += 1000) {
    const life = keepAlive.check(now, heard(now), heartbeatMs)
    if (life !== "alive") return { now, life }
  }
  throw new Error("nothing happened for a day")
}

describe("a silent peer", () => {
  test("that has answered pings is pinged after an interval, and dead after two", () => {
    const keepAlive = new KeepAlive(INTERVAL, 0)
    keepAlive.ponged()
    expect(next(keepAlive, 0, 300_000, () => 0)).toEqual({ now: INTERVAL, life: "ping" })
    expect(next(keepAlive, INTERVAL + 1000, 300_000, () => 0)).toEqual({ now: 2 * INTERVAL, life: "dead" })
  })

  test("that never answered a ping is dead after two heartbeats, and pinged until then", () => {
    const keepAlive = new KeepAlive(INTERVAL, 0)
    const happened: string[] = []
    for (let now = 0; ; now += 1000) {
      const life = keepAlive.check(now, 0, 300_000)
      if (life !== "alive") happened.push(`${life} ${now / INTERVAL}`)
      if (life === "dead") break
    }
    expect(happened).toEqual([...Array.from({ length: 9 }, (_, index) => `ping ${index + 1}`), "dead 10"])
  })

  test("that never answered a ping and has a short heartbeat is dead after two intervals", () => {
    const keepAlive = new KeepAlive(INTERVAL, 0)
    next(keepAlive, 0, 10_000, () => 0)
    expect(next(keepAlive, INTERVAL + 1000, 10_000, () => 0)).toEqual({ now: 2 * INTERVAL, life: "dead" })
  })
})

test("a heartbeat as long as the ping interval, or as two of them, does not flap", () => {
  for (const heartbeatMs of [INTERVAL, 2 * INTERVAL]) {
    const keepAlive = new KeepAlive(INTERVAL, 0)
    for (let now = 0; now <= 100 * INTERVAL; now += 1000) {
      // Each heartbeat arrives a little late.
      const lastSeenAt = Math.max(0, Math.floor((now - 900) / heartbeatMs) * heartbeatMs + 900)
      expect(keepAlive.check(now, lastSeenAt, heartbeatMs)).not.toBe("dead")
    }
  }
})

test("a peer that pings every two minutes by itself, and answers no ping, stays", () => {
  const keepAlive = new KeepAlive(INTERVAL, 0)
  const seen = new Set<string>()
  for (let now = 0; now <= 3_600_000; now += 1000) seen.add(keepAlive.check(now, now - (now % 120_000), 300_000))
  expect([...seen].sort()).toEqual(["alive", "ping", "unanswered"])
})
