/** A storm of charge points is let in at the rate at which they can be admitted, and all of them get in. */
import { describe, expect, test } from "bun:test"
import { Gate, type Pass } from "../../src/gateway/gate.ts"
import { until } from "../support/until.ts"
import { startRig } from "./rig.ts"

const never = new AbortController().signal

describe("the gate", () => {
  test("lets in so many at once, and the others in the order of their coming", async () => {
    const gate = new Gate({ atOnce: 2, maxWaiting: 10 })
    const inside: number[] = []
    const passes: Pass[] = []
    const enter = async (number: number): Promise<void> => {
      const pass = await gate.enter(never)
      if (pass === undefined) return
      inside.push(number)
      passes.push(pass)
    }
    const all = [1, 2, 3, 4, 5].map(enter)
    await Promise.all(all.slice(0, 2))
    expect(inside).toEqual([1, 2])
    expect(gate.waiting).toBe(3)
    for (const number of [3, 4, 5]) {
      passes.shift()?.()
      await all[number - 1]
      expect(inside.at(-1)).toBe(number)
    }
    expect(gate.waiting).toBe(0)
  })

  test("sends away who finds too many waiting, and forgets who has gone", async () => {
    const gate = new Gate({ atOnce: 1, maxWaiting: 2 })
    const pass = await gate.enter(never)
    const leaving = new AbortController()
    const gone = gate.enter(leaving.signal)
    const staying = gate.enter(never)
    expect(await gate.enter(never)).toBeUndefined()
    leaving.abort()
    expect(await gone).toBeUndefined()
    expect(await gate.enter(leaving.signal)).toBeUndefined()
    pass?.()
    expect(await staying).toBeDefined()
    expect(gate.waiting).toBe(0)
  })

  test("sends away everybody who waits when it is closed", async () => {
    const gate = new Gate({ atOnce: 1, maxWaiting: 2 })
    await gate.enter(never)
    const waiting = [gate.enter(never), gate.enter(never)]
    gate.clear()
    expect(await Promise.all(waiting)).toEqual([undefined, undefined])
  })
})

describe("a storm", () => {
  const identities = (count: number) => Array.from({ length: count }, (_, number) => `STORM-${number}`)

  test("of three hundred charge points, five at a time: all are let in, each with one owner", async () => {
    await using rig = await startRig({ gateway: { admissionsAtOnce: 5 } })
    const all = identities(300)
    await Promise.all(all.map((identity) => rig.announce(identity)))
    const peers = await Promise.all(all.map((identity) => rig.connect(identity)))
    const answers = await Promise.all(peers.map((peer) => peer.call("Heartbeat", {})))
    expect(answers.every(([type]) => type === 3)).toBe(true)
    expect(rig.lines.size).toBe(all.length)
    // Back all at once, as after a cut of the line.
    for (const { socket } of peers) socket.terminate()
    const again = await Promise.all(all.map((identity) => rig.connect(identity)))
    await Promise.all(again.map((peer) => peer.call("Heartbeat", {})))
    await until("the old lines are gone", () => rig.lines.size === all.length)
    expect(await rig.store.read.countChargePoints("default", { online: true })).toBe(all.length)
  })

  test("too large to wait is told to come later, and comes in then", async () => {
    await using rig = await startRig({ gateway: { admissionsAtOnce: 1, maxWaitingAdmissions: 3 } })
    const all = identities(30)
    await Promise.all(all.map((identity) => rig.announce(identity)))
    const retryAfter: (string | null)[] = []
    let waiting = all
    while (waiting.length > 0) {
      const results = await Promise.all(
        waiting.map(async (identity) => {
          const answer = await rig.knock({ path: `/ocpp/${identity}` })
          answer.socket.destroy()
          if (answer.status === 101) return []
          expect(answer.status).toBe(503)
          retryAfter.push(answer.headers.get("retry-after"))
          return [identity]
        }),
      )
      expect(results.flat().length).toBeLessThan(waiting.length)
      waiting = results.flat()
    }
    expect(retryAfter.length).toBeGreaterThan(0)
    expect(retryAfter.every((seconds) => Number(seconds) >= 5)).toBe(true)
  })
})
