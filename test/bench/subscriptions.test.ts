import { expect, test } from "bun:test"
import { join } from "node:path"
import { startTestNode } from "../support/node.ts"

const PROGRAM = join(import.meta.dir, "..", "..", "bench", "subscriptions.ts")

interface Found {
  fullSpeed: { subscribers: number; events: number; eventsPerSecond: number; deliveriesPerSecond: number }[]
  latency: { subscribers: number; samples: number; p50Ms: number; p99Ms: number; maxMs: number }[]
}

async function run(...args: string[]) {
  const child = Bun.spawn([process.execPath, PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { output, errors, code }
}

test("it measures a running system: every event told to every subscriber, and how long that took", async () => {
  await using node = await startTestNode()
  const server = ["--ocpp", node.ocppUrl, "--graphql", node.graphqlUrl, "--token", node.token]
  const load = ["--chargers", "3", "--subscribers", "1,60", "--seconds", "0.3", "--rate", "50"]
  const { output, errors, code } = await run(...server, ...load, "--json")
  expect({ errors, code }).toMatchObject({ code: 0 })
  const { fullSpeed, latency }: Found = JSON.parse(output)
  expect(fullSpeed.map(({ subscribers }) => subscribers)).toEqual([1, 60])
  for (const { subscribers, events, eventsPerSecond, deliveriesPerSecond } of fullSpeed) {
    expect(events).toBeGreaterThan(0)
    expect(deliveriesPerSecond / eventsPerSecond).toBeCloseTo(subscribers)
  }
  // 0.3 s at 50 events/s from three charge points are 5 reports each, heard on each WebSocket; 50 subscribers share one.
  expect(latency.map(({ subscribers, samples }) => ({ subscribers, samples }))).toEqual([
    { subscribers: 1, samples: 15 },
    { subscribers: 60, samples: 30 },
  ])
  for (const { p50Ms, p99Ms, maxMs } of latency) {
    expect(p50Ms).toBeGreaterThan(0)
    expect(p99Ms).toBeGreaterThanOrEqual(p50Ms)
    expect(maxMs).toBeGreaterThanOrEqual(p99Ms)
  }
})

test("wrong use is told in a sentence", async () => {
  expect(await run("--rate", "0")).toEqual({ output: "", errors: "--rate must be a number above 0\n", code: 2 })
  expect((await run("--ocpp", "ws://127.0.0.1:1/ocpp")).errors).toBe("--ocpp and --graphql go together\n")
})
