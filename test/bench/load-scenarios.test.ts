/** Every scenario of the bench, for a moment, against a real node: it ends with figures and without an error. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { readOptions, type ScenarioName } from "../../bench/load/options.ts"
import { runBench } from "../../bench/load/run.ts"
import { startTestNode, type TestNode } from "../support/node.ts"

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node[Symbol.asyncDispose]())

/** Processes are started by the dozen: on a busy machine that takes its time. */
const PATIENCE_MS = 60_000
const MOMENT = ["--rounds", "1", "--seconds", "0.1", "--chargers", "10", "--no-peers"]

async function briefly(name: ScenarioName, where: string[]) {
  const record = await runBench(readOptions([name, ...MOMENT, ...where]), () => undefined)
  expect(record.checks.filter(({ passed }) => !passed)).toEqual([])
  expect([...record.results, ...record.limits].map(({ faults }) => faults.examples)).toEqual(
    [...record.results, ...record.limits].map(() => ({})),
  )
  return record
}

const ELSEWHERE: [ScenarioName, string[]][] = [
  ["heartbeat", ["heartbeat"]],
  ["meter-values", ["meter-values"]],
  ["transactions", ["transactions"]],
  ["heartbeat-beside-meter-values", ["heartbeat-beside-meter-values"]],
  ["mixed", ["mixed", "mixed-at-half"]],
  ["connect-storm", ["connect-storm"]],
  ["commands", ["commands"]],
  ["fan-out", ["fan-out", "fan-out-sse"]],
  ["charger-to-subscriber", ["charger-to-subscriber"]],
]

test.concurrent.each(ELSEWHERE)(
  "%s, at a node that runs already",
  async (name, rows) => {
    const where = ["--ocpp", node.ocppUrl, "--graphql", node.graphqlUrl, "--token", node.token]
    const { results } = await briefly(name, where)
    expect(results.map(({ scenario }) => scenario)).toEqual(rows)
    for (const { ratio, perSecond, p50Ms } of results) {
      expect(ratio).toBeGreaterThan(0)
      expect(ratio).toBeLessThan(Number.POSITIVE_INFINITY)
      expect(perSecond?.median).toBeGreaterThan(0)
      expect(p50Ms?.median).toBeGreaterThan(0)
    }
  },
  PATIENCE_MS,
)

test.concurrent(
  "kill, of a node of its own: what was acknowledged is there, once",
  async () => {
    const { checks } = await briefly("kill", [])
    expect(checks.map(({ words }) => words)).toEqual([
      expect.stringMatching(/^0 acknowledged lost, 0 doubled, of [1-9]/),
    ])
  },
  PATIENCE_MS,
)

test.concurrent(
  "idle-memory, of a node of its own and of several together, with what it costs",
  async () => {
    const { results, limits } = await briefly("idle-memory", [])
    expect(results.map(({ scenario }) => scenario)).toEqual(["idle-memory", "idle-memory-nodes"])
    for (const [index, { rssMiB }] of results.entries())
      expect(rssMiB?.["server"]).toBeGreaterThan(limits[index]?.rssMiB?.["server"] ?? Number.NaN)
    expect(results[1]?.notes?.join()).toContain("at 2 nodes")
  },
  PATIENCE_MS,
)
