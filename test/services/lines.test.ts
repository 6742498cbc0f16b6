import { expect, test } from "bun:test"
import { type Line, Lines } from "../../src/services/lines.ts"

const line = (epoch: number): Line => ({
  chargePointId: "cp",
  organisationId: "default",
  identity: "CP",
  epoch,
  lastSeenAt: 0,
  call: () => Promise.reject(new Error("not asked here")),
  close: () => undefined,
})

test("the newest line takes the place of an older one, which comes back", () => {
  const [older, newer, lines] = [line(1), line(2), new Lines()]
  expect(lines.add(older)).toBeUndefined()
  expect(lines.add(newer)).toBe(older)
  expect([lines.get("cp"), lines.size]).toEqual([newer, 1])
})

test("a line that comes too late is given back itself", () => {
  const [older, newer, lines] = [line(1), line(2), new Lines()]
  lines.add(newer)
  expect(lines.add(older)).toBe(older)
  expect(lines.get("cp")).toBe(newer)
})

test("the late end of an older line leaves the newer one", () => {
  const [older, newer, lines] = [line(1), line(2), new Lines()]
  lines.add(older)
  lines.add(newer)
  lines.remove(older)
  expect(lines.all()).toEqual([newer])
  lines.remove(newer)
  expect(lines.size).toBe(0)
})
