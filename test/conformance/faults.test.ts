/**
 * The run is not vacuous: before a faulty central system every case fails, at each kind of fault that can be planted in
 * it, and at the last place where it can.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { catalogue, documentId } from "../../bench/conformance/catalogue.ts"
import { objections } from "../../bench/conformance/report.ts"
import { LIMIT_MS, responseTimes } from "../../bench/conformance/response-times.ts"
import type { Form } from "../../bench/conformance/stage.ts"
import { play } from "../../bench/conformance/stage-hands.ts"
import { Transcript } from "../../bench/conformance/transcript.ts"
import { type NodeUnderTest, startNodeUnderTest } from "./cases.ts"
import { FAULTS } from "./faults.ts"
import { type Fault, type FaultyCentralSystem, type Lane, startFaultyCentralSystem } from "./faulty-central-system.ts"

// A test waits for room among the others, too.
setDefaultTimeout(180_000)

/** More would only wait for each other, and what waits too long is taken for a fault. */
const PLAYS_AT_ONCE = 12

/** How long a case waits for what does not come, ms; twice as long again where the machine was too busy to come that far. */
const PATIENCE_MS = 500

let node: NodeUnderTest
let proxy: FaultyCentralSystem

beforeAll(async () => {
  node = await startNodeUnderTest()
  proxy = startFaultyCentralSystem(node.target.ocppUrl, FAULTS)
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await node[Symbol.asyncDispose]()
})

let playing = 0
const waiting: (() => void)[] = []

/** Plays a form through a lane when there is room; the reason of its failure, undefined when it passes. */
async function outcome(id: string, form: Form, { ocppUrl }: Lane, patienceMs: number): Promise<string | undefined> {
  if (playing >= PLAYS_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  playing++
  try {
    await play({ id, form }, { ...node.target, ocppUrl, patienceMs }, new Transcript())
    return undefined
  } catch (cause) {
    return String(cause)
  } finally {
    playing--
    waiting.shift()?.()
  }
}

/** How a form fails with a fault planted in it, with a sentence for the case that it does not. */
async function withFault(id: string, form: Form, fault: Fault, place: number): Promise<string | undefined> {
  for (let patienceMs = PATIENCE_MS; patienceMs <= node.target.patienceMs; patienceMs *= 2) {
    const lane = proxy.lane({ fault, place, patienceMs })
    const reason = await outcome(id, form, lane, patienceMs)
    if (lane.planted === 0) continue
    return reason !== undefined && (fault.noticed.test(reason) || /within|[Tt]imeout/.test(reason))
      ? undefined
      : `${reason}`
  }
  return "never planted"
}

const played = catalogue.filter(({ forms }) => forms.length > 0)

for (const { id, name, forms } of played) {
  test.concurrent(`${documentId({ id })} ${name}: every fault is noticed`, async () => {
    const unnoticed: string[] = []
    for (const form of forms) {
      const clean = proxy.lane()
      expect(await outcome(id, form, clean, node.target.patienceMs)).toBeUndefined()
      const possible = FAULTS.filter((fault) => clean.places(fault) > 0 && (fault.only?.includes(id) ?? true))
      expect(possible.length).toBeGreaterThan(4)
      const noticing = possible.map(async (fault) => {
        const problem = await withFault(id, form, fault, clean.places(fault))
        if (problem !== undefined) unnoticed.push(`${form.form ?? "the only form"}, ${fault.name}: ${problem}`)
      })
      await Promise.all(noticing)
    }
    expect(unnoticed).toEqual([])
  })
}

test("an answer that takes longer than a second speaks against the central system, though the case passes", async () => {
  const fault = FAULTS.find(({ name }) => name === "an answer too late")
  const authorizes = played.find(({ id }) => id === "TC_023_1")
  const [form] = authorizes?.forms ?? []
  if (!fault || !form) throw new Error("the fault or the case has another name")
  // The proxy keeps the answer back for half as long again as this.
  const lane = proxy.lane({ fault, place: 1, patienceMs: LIMIT_MS })
  const transcript = new Transcript()
  await play({ id: "TC_023_1", form }, { ...node.target, ocppUrl: lane.ocppUrl }, transcript)
  const idle = responseTimes(transcript.responseTimes)
  expect(objections({ cases: [], responseTimes: { limitMs: LIMIT_MS, idle } })).toEqual([
    expect.stringMatching(/^OCPP response timeout, idle: .* more than 1000 ms$/),
  ])
})
