import { expect, test } from "bun:test"
import type { DeviationRow } from "../../src/facts/rows.ts"
import { createLog } from "../../src/log.ts"
import { Deviations } from "../../src/services/deviations.ts"
import { StoreUnavailable } from "../../src/services/ports.ts"

/** Deviations that write into a list, or fail while they are told to. */
function gathering() {
  const written: DeviationRow[] = []
  const state = { now: 1000, fails: false, written }
  const deviations = new Deviations({
    clock: { now: () => state.now },
    log: createLog("silent"),
    flushMs: 3_600_000,
    store: {
      async addDeviations(rows) {
        if (state.fails) throw new StoreUnavailable("away")
        written.push(...rows)
      },
    },
  })
  return { deviations, state }
}

const chargePoint = { organisationId: "default", chargePointId: "cp" }

test("the same deviation is counted, with its first example and both instants", async () => {
  const { deviations, state } = gathering()
  deviations.note(chargePoint, "extra-field", "Heartbeat.req.x", "1")
  state.now = 2000
  deviations.note(chargePoint, "extra-field", "Heartbeat.req.x", "2")
  await deviations[Symbol.asyncDispose]()
  expect(state.written).toEqual([
    {
      ...chargePoint,
      kind: "extra-field",
      place: "Heartbeat.req.x",
      example: "1",
      count: 2,
      firstAt: 1000,
      lastAt: 2000,
    },
  ])
})

test("what the store does not take is added to what follows", async () => {
  const { deviations, state } = gathering()
  state.fails = true
  deviations.note(chargePoint, "empty-frame", "frame", "")
  await deviations.flush()
  state.fails = false
  state.now = 3000
  deviations.note(chargePoint, "empty-frame", "frame", "")
  await deviations[Symbol.asyncDispose]()
  expect(state.written).toMatchObject([{ count: 2, firstAt: 1000, lastAt: 3000 }])
})

test("a charge point that invents field names does not fill the table", async () => {
  const { deviations, state } = gathering()
  for (let index = 0; index < 5000; index += 1) deviations.note(chargePoint, "extra-field", `x${index}`, "")
  deviations.note({ ...chargePoint, chargePointId: "other" }, "extra-field", "y", "")
  await deviations[Symbol.asyncDispose]()
  expect(state.written.length).toBeLessThan(300)
  expect(state.written.reduce((sum, { count }) => sum + count, 0)).toBe(5001)
  expect(state.written.some(({ place }) => place === "y")).toBe(true)
})
