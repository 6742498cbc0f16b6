/** `npm run conformance` as a program: what it tells, how it ends, and that nothing of it stays behind. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { catalogue } from "../../bench/conformance/catalogue.ts"
import { objections } from "../../bench/conformance/report.ts"
import type { RunRecord } from "../../bench/conformance/report.ts"
import { responseTimes } from "../../bench/conformance/response-times.ts"
import { recordOf } from "../../bench/conformance/runner.ts"
import { type Ask, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"

setDefaultTimeout(60_000)

let node: TestNode
let ask: Ask
let folder: string

beforeAll(async () => {
  node = await startTestNode()
  ask = graphqlOver(node.graphqlUrl, node.token)
  folder = await mkdtemp(join(tmpdir(), "busbar-run-"))
})

afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function start(args: string[], environment: Record<string, string> = {}) {
  const program = join(import.meta.dir, "../../bench/conformance/run.ts")
  return Bun.spawn([process.execPath, "--no-orphans", program, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
}

async function run(args: string[], environment: Record<string, string> = {}) {
  const child = start(args, environment)
  const [code, output, errors] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { code, output, errors }
}

const here = () => ["--ocpp", node.ocppUrl, "--graphql", node.graphqlUrl, "--token", node.token]

/** How many charge points and idTags there are. */
async function left(): Promise<[chargePoints: number, idTags: number]> {
  const { chargePoints, idTags } = await ask<Record<"chargePoints" | "idTags", { edges: unknown[] }>>(
    "{ chargePoints(first: 50) { edges { node { identity } } } idTags(first: 50) { edges { node { idTag } } } }",
  )
  return [chargePoints.edges.length, idTags.edges.length]
}

describe("the run", () => {
  test("tells both tables, keeps every message, and leaves nothing behind", async () => {
    const json = join(folder, "record.json")
    const markdown = join(folder, "record.md")
    const { code, output, errors } = await run([
      ...[...here(), "--case", "TC_023_1", "--case", "010", "--case", "x-01", "--busy", "3"],
      ...["--json", json, "--record", markdown],
    ])
    expect(errors).toBe("")
    expect(code).toBe(0)
    expect(output).toMatch(/^pass {2}TC_023_1_CSMS /m)
    expect(output).toMatch(/^Core +PASS +.*2 of 2 cases pass/m)
    expect(output).toMatch(/^Security +not in this run/m)
    expect(output).toMatch(/^Response time Authorize +idle/m)
    expect(output).toMatch(/^OCPP response timeout +3 busy charge points behind/m)

    const record = (await Bun.file(json).json()) as RunRecord
    expect(record.cases.map(({ id }) => id)).toEqual(catalogue.map(({ id }) => id))
    const played = record.cases.filter(({ result }) => result !== "skipped")
    expect(played.map(({ id, result }) => `${id} ${result}`)).toEqual(["TC_010 pass", "TC_023_1 pass", "X-01 pass"])
    const [remoteStart] = played
    expect(remoteStart?.played.map(({ behind }) => behind)).toEqual(["idle", "busy"])
    const { steps = [], messages = [] } = remoteStart?.played[0] ?? {}
    expect(steps.map(({ actor, does }) => `${actor} ${does}`).join("\n")).toContain("operator remoteStartTransaction")
    const actions = messages.map(({ from, frame }) => [from, (JSON.parse(frame) as unknown[])[2]])
    expect(actions).toContainEqual(["central system", "RemoteStartTransaction"])
    expect(actions).toContainEqual(["charge point", "StartTransaction"])
    expect(record.responseTimes.idle.authorize.count).toBeGreaterThan(100)
    expect(record.responseTimes.busy?.chargePoints).toBe(3)
    expect(await Bun.file(markdown).text()).toMatch(/^\| TC_010_CSMS +\|/m)
    expect(await left()).toEqual([0, 0])
  })

  test("starts a node of its own where none is named, and removes it", async () => {
    const { code, output, errors } = await run(["--case", "TC_023_1", "--busy", "0"], { TMPDIR: folder })
    expect(errors).toBe("")
    expect(output).toContain("starting a node of this run's own")
    expect(output).toMatch(/^pass {2}TC_023_1_CSMS /m)
    expect(code).toBe(0)
    expect(await Array.fromAsync(new Bun.Glob("busbar-conformance-*").scan({ cwd: folder, onlyFiles: false }))).toEqual(
      [],
    )
  })

  test("ends with 1 and the reason when a case fails, and removes what it made", async () => {
    // A central system that speaks OCPP and knows nobody: the API is another's.
    await using other = await startTestNode()
    const { code, output } = await run([
      ...["--ocpp", other.ocppUrl, "--graphql", node.graphqlUrl, "--case", "TC_001", "--busy", "0"],
      ...["--token", node.token],
    ])
    expect(output).toContain("FAIL  TC_001_CSMS")
    expect(output).toContain("the upgrade was refused with HTTP 404")
    expect(code).toBe(1)
    expect(await left()).toEqual([0, 0])
  })

  test("tells its tables also where nothing can be measured", async () => {
    const nobody = ["--ocpp", "ws://127.0.0.1:1/ocpp", "--graphql", node.graphqlUrl, "--token", node.token]
    const { code, output } = await run([...nobody, "--case", "TC_003", "--busy", "0"])
    expect(output).toMatch(/^Core +FAIL/m)
    expect(output).toContain("the series of Authorize, idle: ")
    expect(code).toBe(1)
    expect(await left()).toEqual([0, 0])
  })

  test("leaves nothing behind where charge points register themselves", async () => {
    await using open = await startTestNode({ REGISTRATION: "open" })
    const there = ["--ocpp", open.ocppUrl, "--graphql", open.graphqlUrl, "--token", open.token]
    const { code, output } = await run([...there, "--case", "X-01", "--busy", "0"])
    expect(output).toMatch(/^pass {2}X-01 /m)
    expect(code).toBe(0)
    const { chargePoints } = await graphqlOver(
      open.graphqlUrl,
      open.token,
    )<{ chargePoints: { edges: unknown[] } }>("{ chargePoints { edges { node { identity } } } }")
    expect(chargePoints.edges).toEqual([])
  })

  test("removes what it made when it is interrupted", async () => {
    const child = start([...here(), "--busy", "0"])
    let output = ""
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (!output.includes("pass") && (output + chunk).includes("pass")) child.kill("SIGINT")
      output += chunk
    }
    expect(output).toContain("stopping")
    expect(await child.exited).toBe(130)
    expect(await left()).toEqual([0, 0])
  })

  test.each([
    [["--case", "TC_999"], "there is no case TC_999"],
    [["--case", "TC_086"], "TC_086_CSMS is not part of this version"],
    [["--ocpp", "ws://127.0.0.1:9/ocpp"], "a running central system needs --ocpp, --graphql and --token"],
    [["--ocpp", "http://127.0.0.1:9"], "--ocpp must look like"],
    [["--busy", "many"], "--busy must be a whole number"],
  ])("refuses %p in plain words", async (args, words) => {
    const { code, errors } = await run(args)
    expect(errors).toContain(words)
    expect(code).toBe(2)
  })

  test("takes its target from the environment too", async () => {
    const { code, output } = await run(["--case", "TC_023_1", "--busy", "0"], {
      CONFORMANCE_OCPP_URL: node.ocppUrl,
      CONFORMANCE_GRAPHQL_URL: node.graphqlUrl,
      CONFORMANCE_TOKEN: node.token,
    })
    expect(output).toContain(`→ ${node.ocppUrl}`)
    expect(code).toBe(0)
  })

  test("says why when the API lets it not in", async () => {
    const { code, errors } = await run([...here().slice(0, 4), "--token", "a token of nobody", "--busy", "0"])
    expect(errors).toContain(`the API at ${node.graphqlUrl}`)
    expect(code).toBe(1)
  })
})

describe("the verdict", () => {
  const quick = { action: "Heartbeat", ms: 3 }
  const [testCase] = catalogue
  if (!testCase) throw new Error("the catalogue is empty")
  const judged = (worst: number, result: "pass" | "fail") => {
    const played = { behind: "idle", result, reason: "because", ms: 1, steps: [], messages: [] } as const
    return objections({
      cases: [recordOf(testCase, [played])],
      responseTimes: { limitMs: 1000, idle: responseTimes([quick, { action: "Authorize", ms: worst }]) },
    })
  }

  test("has nothing against passed cases and quick answers", () => {
    expect(judged(1000, "pass")).toEqual([])
  })

  test("names a case that failed", () => {
    expect(judged(1, "fail")).toEqual(["TC_001_CSMS: because"])
  })

  test("names an answer that took longer than a second", () => {
    expect(judged(1001, "pass")).toEqual([
      "OCPP response timeout, idle: 1001 ms, more than 1000 ms",
      "Response time Authorize, idle: 1001 ms, more than 1000 ms",
    ])
  })

  test("names what busy charge points met", () => {
    const idle = responseTimes([quick])
    const busy = { ...idle, chargePoints: 1000, messagesPerSecond: 7, faults: 2, example: "Heartbeat: no answer" }
    expect(objections({ cases: [], responseTimes: { limitMs: 1000, idle, busy } })).toEqual([
      "1,000 busy charge points exchanged 7 messages a second and met 2 faults of the central system, such as Heartbeat: no answer",
    ])
  })

  test("knows the worst and the 99th of a hundred", () => {
    const times = Array.from({ length: 100 }, (_, index) => ({ action: "Authorize", ms: index + 1 }))
    expect(responseTimes(times).authorize).toEqual({ count: 100, worstMs: 100, p99Ms: 99 })
  })
})
