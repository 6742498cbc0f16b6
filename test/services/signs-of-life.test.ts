import { expect, test } from "bun:test"
import { createLog } from "../../src/log.ts"
import { type Line, Lines } from "../../src/services/lines.ts"
import { type Store, StoreUnavailable } from "../../src/services/ports.ts"
import { SignsOfLife } from "../../src/services/signs-of-life.ts"

const FLEET = 1000

/** A fleet that was just heard of, and a store that takes its time, or is away. */
function fleet() {
  const lines = new Lines()
  for (let i = 0; i < FLEET; i++) lines.add(heardOf(`cp ${i}`))
  const seen = { away: false, tried: 0, under: 0, most: 0, written: new Set<string>() }
  const change = async (_kind: string, { chargePointId }: { chargePointId: string }) => {
    seen.tried += 1
    seen.most = Math.max(seen.most, ++seen.under)
    await Bun.sleep(0)
    seen.under -= 1
    if (seen.away) throw new StoreUnavailable("away")
    seen.written.add(chargePointId)
    return { offline: false }
  }
  const signs = new SignsOfLife({
    store: { change: change as unknown as Store["change"] },
    lines,
    presence: { resume: () => Promise.resolve() },
    log: createLog("silent"),
  })
  return { seen, signs }
}

const heardOf = (chargePointId: string): Line => ({
  chargePointId,
  organisationId: "default",
  identity: chargePointId,
  epoch: 1,
  lastSeenAt: 1,
  call: () => Promise.reject(new Error("not asked here")),
  close: () => undefined,
})

test("a fleet's signs of life are all written, some at a time", async () => {
  const { seen, signs } = fleet()
  await using _closing = signs
  await signs.flush()
  expect(seen.written.size).toBe(FLEET)
  expect(seen.most).toBeLessThan(FLEET / 2)
})

test("a store that is away is not asked for each of them; what was not written is written the next time", async () => {
  const { seen, signs } = fleet()
  await using _closing = signs
  seen.away = true
  await signs.flush()
  expect(seen.tried).toBeLessThan(FLEET / 2)
  seen.away = false
  await signs.flush()
  expect(seen.written.size).toBe(FLEET)
})
