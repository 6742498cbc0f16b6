/** The load generator counts only what is a right reply, and notices everything else. */
import { describe, expect, test } from "bun:test"
import { compare, type Audited } from "../../bench/load/audit.ts"
import { Fleet, type FleetPlan } from "../../bench/load/fleet.ts"
import { meterValues } from "../../bench/load/frames.ts"
import { Histogram, spread } from "../../bench/load/histogram.ts"
import { readOptions } from "../../bench/load/options.ts"
import { UsageError } from "../../bench/program.ts"
import { asSvg } from "../../bench/load/picture.ts"
import { resultOf, type Round, rowOf, surroundings } from "../../bench/load/record.ts"
import { asText, hasWrongs } from "../../bench/load/report.ts"
import { type Misdeed, startFaultyServer } from "./load-server.ts"

const plan = (url: string, more: Partial<FleetPlan> = {}): FleetPlan => ({
  ...{ url, dialect: "ocpp", identities: ["CP-1", "CP-2"], idTags: ["TAG"], script: "heartbeat" },
  ...more,
})

/** What two chargers make of a server that does one thing wrong to each. */
async function underLoad(misdeed?: Misdeed, more: Partial<FleetPlan> = {}, seconds = 0.1) {
  await using server = startFaultyServer(misdeed)
  const fleet = new Fleet(plan(server.url, more))
  const gathering = await fleet.gather()
  const { answered, latencies } = await fleet.run({ warmupS: 0, seconds })
  fleet.dismiss()
  return { gathering, answered, counted: Histogram.of(latencies).count, ...fleet.faults, received: server.received }
}

const impatient = { patienceMs: 500 }

describe("the generator", () => {
  test("finds no fault with a central system that has none", async () => {
    const { counts, answered, counted, gathering } = await underLoad()
    expect(counts).toEqual({})
    expect(gathering.chargers).toBe(2)
    expect(answered).toBeGreaterThan(2)
    expect(counted).toBe(answered)
  })

  test("tells stories that could be true, each charger at another place of its own", async () => {
    const identities = Array.from({ length: 22 }, (_, index) => `CP-${index}`)
    const { received, counts } = await underLoad(undefined, { script: "mixed", identities })
    expect(counts).toEqual({})
    const scripted = received.map(([, id, action, payload]) => ({
      id: String(id),
      action: String(action),
      ...Object(payload),
    }))
    const byCharger = Map.groupBy(scripted, ({ id }) => id.slice(0, -8))
    expect(byCharger.size).toBe(identities.length)
    const begins = new Set<string>()
    for (const said of byCharger.values()) {
      // Behind its boot and its two states.
      begins.add(
        said
          .slice(3, 12)
          .map(({ action }) => action)
          .join(),
      )
      let register: number | undefined
      for (const { action, meterStart, meterStop, meterValue } of said) {
        if (action === "StartTransaction") register = meterStart
        if (action === "MeterValues") {
          const [energy] = meterValue[0].sampledValue
          expect(Number(energy.value)).toBeGreaterThan(register ?? Number.POSITIVE_INFINITY)
          register = Number(energy.value)
        }
        if (action === "StopTransaction") {
          expect(meterStop).toBeGreaterThan(register ?? Number.POSITIVE_INFINITY)
          register = undefined
        }
      }
    }
    expect(begins.size).toBeGreaterThan(identities.length / 2)
  })

  test("reads a right reply however it is written", async () => {
    const { counts } = await underLoad(({ id }, say) =>
      say(` [ 3 , ${JSON.stringify(id)}, { "currentTime" : "2026-01-01T00:00:00+01:00" } ]`),
    )
    expect(counts).toEqual({})
  })

  test("notices a reply with an id that was never used", async () => {
    const { counts } = await underLoad(
      (call, say) => say(call.answer.replace(call.id, "somebody-else")),
      impatient,
      0.1,
    )
    expect(counts).toEqual({ wrong: 2, missing: 2 })
  })

  test("notices that a reply is missing, and goes on", async () => {
    const { counts, answered } = await underLoad(() => undefined, impatient, 1.2)
    expect(counts).toEqual({ missing: 2 })
    expect(answered).toBeGreaterThan(4)
  })

  test("notices a reply that comes when it is not waited for any more", async () => {
    const { counts } = await underLoad(({ answer }, say) => say(`later:${answer}`), impatient, 1.2)
    expect(counts).toEqual({ missing: 2, late: 2 })
  })

  test("notices a reply that comes twice", async () => {
    const { counts } = await underLoad(({ answer }, say) => {
      say(answer)
      say(answer)
    })
    expect(counts).toEqual({ doubled: 2 })
  })

  test.each([
    ["no JSON", (id: string) => `[3,"${id}",{"currentTime":`],
    ["no frame", (id: string) => `{"id":"${id}"}`],
    ["a confirmation that is no object", (id: string) => `[3,"${id}",[]]`],
  ])("notices what is no reply at all: %s", async (_, made) => {
    const { counts } = await underLoad(({ id, answer }, say) => {
      say(made(id))
      say(answer)
    })
    expect(counts).toEqual({ malformed: 2 })
  })

  test.each([
    ["without its required field", (id: string) => `[3,"${id}",{}]`],
    ["with an instant that is none", (id: string) => `[3,"${id}",{"currentTime":"noon"}]`],
    ["with what does not belong there", (id: string) => `[3,"${id}",{"currentTime":"2026-01-01T00:00:00Z","x":1}]`],
  ])("does not count a confirmation %s", async (_, made) => {
    const { counts } = await underLoad(({ id }, say) => say(made(id)))
    expect(counts).toEqual({ invalid: 2 })
  })

  test("notices a CALLERROR", async () => {
    const { counts, examples } = await underLoad(({ id }, say) => say(`[4,"${id}","InternalError","",{}]`))
    expect(counts).toEqual({ error: 2 })
    expect(examples.error).toContain("InternalError")
  })

  test("notices a CALL that nobody asked for, and refuses it", async () => {
    const { counts, received } = await underLoad(({ answer }, say) => {
      say('[2,"theirs","Reset",{"type":"Soft"}]')
      say(answer)
    })
    expect(counts).toEqual({ unasked: 2 })
    expect(received.filter(([type]) => type === 4).map(([, id, code]) => [id, code])).toEqual([
      ["theirs", "NotImplemented"],
      ["theirs", "NotImplemented"],
    ])
  })

  test("notices a connection that is not made", async () => {
    await using server = startFaultyServer(undefined)
    const { port } = new URL(server.url)
    await server[Symbol.asyncDispose]()
    const fleet = new Fleet(plan(`ws://127.0.0.1:${port}/ocpp`))
    expect((await fleet.gather()).chargers).toBe(0)
    expect(fleet.faults.counts).toEqual({ refused: 2 })
    fleet.dismiss()
  })

  test("takes an echo for a reply only where an echo is expected", async () => {
    const echo: Misdeed = ({ id }, say) => say(`[2,"${id}","Heartbeat",{}]`)
    expect((await underLoad(echo, impatient, 0.1)).counts).toEqual({ unasked: 2, missing: 2 })
  })

  test("gives no two CALLs the same id", async () => {
    const { received } = await underLoad()
    const ids = received.map(([, id]) => String(id))
    expect(new Set(ids).size).toBe(ids.length)
  })

  test("plays a transaction in order, with the transactionId that it was given", async () => {
    const { received, counts } = await underLoad(undefined, { script: "transactions", identities: ["CP-1"] })
    expect(counts).toEqual({})
    const calls = received.slice(3, 9).map(([, , action, payload]) => [action, payload as { transactionId?: number }])
    expect(calls.map(([action]) => action)).toEqual([
      ...["Authorize", "StartTransaction", "MeterValues", "MeterValues", "MeterValues", "StopTransaction"],
    ])
    expect(calls.slice(2).map(([, payload]) => (payload as { transactionId?: number }).transactionId)).toEqual([
      ...[7, 7, 7, 7],
    ])
  })

  test("sends meter values of about 800 bytes, no two alike", async () => {
    const { received, counts } = await underLoad(undefined, { script: "meter-values", identities: ["CP-1"] })
    expect(counts).toEqual({})
    const frames = received.filter(([, , action]) => action === "MeterValues").map((frame) => JSON.stringify(frame[3]))
    expect(frames.length).toBeGreaterThan(2)
    expect(new Set(frames).size).toBe(frames.length)
    const bytes = JSON.stringify([2, "0000-00000001", "MeterValues", meterValues(1_000_000)]).length
    expect(bytes).toBeGreaterThanOrEqual(750)
    expect(bytes).toBeLessThanOrEqual(850)
  })

  test("keeps to a pace", async () => {
    await using server = startFaultyServer(undefined)
    const fleet = new Fleet(plan(server.url))
    await fleet.gather()
    const { answered, seconds } = await fleet.run({ warmupS: 0, seconds: 0.5, ratePerSecond: 100 })
    fleet.dismiss()
    expect(fleet.faults.counts).toEqual({})
    expect(answered).toBeGreaterThan((seconds * 100) / 2)
    expect(answered).toBeLessThanOrEqual(seconds * 100 + 1)
  })
})

describe("the statistics", () => {
  test("say within which time so many replies came, to a hundredth", () => {
    const histogram = new Histogram()
    for (let ms = 1; ms <= 1000; ms++) histogram.add(ms)
    for (const [share, ms] of [
      [0.5, 500],
      [0.99, 990],
      [0.999, 999],
      [1, 1000],
    ] as const) {
      expect(histogram.quantile(share)).toBeGreaterThanOrEqual(ms)
      expect(histogram.quantile(share)).toBeLessThanOrEqual(ms * 1.011)
    }
  })

  test("lose nothing on the way between processes", () => {
    const one = new Histogram()
    for (const ms of [0.0001, 0.5, 3, 3, 70_000, 1e9]) one.add(ms)
    const other = Histogram.of(JSON.parse(JSON.stringify(one.counts())))
    expect(other.count).toBe(6)
    expect(other.quantile(0.5)).toBe(one.quantile(0.5))
  })

  test("put the median between the least and the greatest round", () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
    expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 })
    expect(() => spread([])).toThrow(RangeError)
  })
})

const round = (perSecond: number, more: Partial<Round> = {}): Round => ({
  ...{ perSecond, p50Ms: 1, p99Ms: 2, p999Ms: 3, cpuUs: { server: 10 }, rssMiB: { server: 100 }, generator: 0.5 },
  ...more,
})
const clean = { counts: {}, examples: {} }

describe("the record", () => {
  const row = (subject: string, rounds: Round[], faults: Parameters<typeof rowOf>[2] = clean) =>
    rowOf({ scenario: "heartbeat", subject, chargers: 10, unit: "messages" }, rounds, faults)

  test("holds each round against the limit's round beside it", () => {
    const ours = row("busbar", [round(50), round(80), round(30)])
    const limit = row("limit", [round(100), round(100), round(100)])
    const { ratio, ratios } = resultOf(ours, limit, { ratio: 0.8, words: "≥ 0.80" })
    expect(ratio).toBe(0.5)
    expect(ratios).toEqual({ median: 0.5, min: 0.3, max: 0.8 })
  })

  test("says when the generator was the bottleneck", () => {
    expect(row("limit", [round(1, { generator: 0.97 })]).notes).toEqual([
      expect.stringContaining("the generator was busy all the time"),
    ])
    expect(row("limit", [round(1)]).notes).toEqual([])
  })

  test("prints what went wrong before any figure, and ends in failure for it", () => {
    const faulty = { counts: { late: 2, doubled: 1 }, examples: { late: "the first late one" } }
    const result = resultOf(row("busbar", [round(50)], faulty), row("limit", [round(100)]), {
      ratio: 0.8,
      words: "≥ 0.80",
    })
    const record = {
      ...{ startedAt: "2026-01-01T00:00:00Z", seconds: 1, ...surroundings(), settings: {} },
      ...{ results: [result], limits: [], peers: [], checks: [], skipped: [] },
    }
    const text = asText(record)
    expect(text.indexOf("2 late, such as the first late one")).toBeGreaterThan(0)
    expect(text.indexOf("2 late")).toBeLessThan(text.indexOf("per second"))
    expect(hasWrongs(record)).toBe(true)
    expect(hasWrongs({ ...record, results: [{ ...result, errors: 0 }] })).toBe(false)
    expect(asSvg(record)).toMatch(/^<svg [\s\S]*heartbeat 10, busbar[\s\S]*<\/svg>\n$/)
  })

  test("refuses a command line that it does not understand", () => {
    expect(() => readOptions(["heart-beat"])).toThrow(UsageError)
    expect(() => readOptions(["--rounds", "none"])).toThrow(UsageError)
    expect(() => readOptions(["--ocpp", "ws://localhost/ocpp"])).toThrow(UsageError)
    expect(readOptions(["--quick"]).scenarios).toEqual(["heartbeat", "meter-values", "transactions", "fan-out"])
  })
})

describe("the audit after a kill", () => {
  const entry = { transactionId: 1, meterStart: 10, readings: ["2026-01-01T00:00:00.000Z"], meterStop: 30 }
  const shown = (more: object = {}) => ({
    ...{ transactionId: 1, meterStart: 10, meterStop: 30 },
    meterValues: { edges: [{ node: { timestamp: "2026-01-01T00:00:00Z" } }] },
    ...more,
  })
  const audited = (transactions: ReturnType<typeof shown>[]) => {
    const found: Audited = { transactions: 0, lost: 0, doubled: 0 }
    compare("CP-1", [entry], transactions, found)
    return { lost: found.lost, doubled: found.doubled }
  }
  const none = { edges: [] }
  const twice = { edges: [...shown().meterValues.edges, ...shown().meterValues.edges] }

  test.each([
    ["all that was acknowledged, once", [shown()], { lost: 0, doubled: 0 }],
    ["no transaction", [], { lost: 1, doubled: 0 }],
    ["a transaction without its end", [shown({ meterStop: null })], { lost: 1, doubled: 0 }],
    ["a transaction without its reading", [shown({ meterValues: none })], { lost: 1, doubled: 0 }],
    ["a reading twice", [shown({ meterValues: twice })], { lost: 0, doubled: 1 }],
    ["a start twice", [shown(), shown({ transactionId: 2 })], { lost: 0, doubled: 1 }],
  ])("finds %s", (_, transactions, expected) => {
    expect(audited(transactions)).toEqual(expected)
  })
})
