import { expect, test } from "bun:test"
import fc from "fast-check"
import * as v from "valibot"
import { isUsualDateTime } from "../../src/ocpp/date-time.ts"
import { findBoundFaults } from "../../src/ocpp/fault.ts"
import { fromCentralSystem, fromChargePoint, isCentralSystemAction, isChargePointAction } from "../../src/ocpp/index.ts"
import { type ActionName, confirmationMessage, requestMessage } from "../../src/ocpp/message.ts"
import { textOnlyBounds } from "../../src/ocpp/text-only-bounds.ts"
import { checkOutbound, readConfirmation, readRequest } from "../../src/ocpp/validate.ts"
import { isOfficial, mutatedPayload, officialMessages, validPayload } from "./official.ts"

const actions = Object.keys({ ...fromChargePoint, ...fromCentralSystem }) as ActionName[]
const parts = ["req", "conf"] as const

const messageOf = (action: ActionName, part: (typeof parts)[number]) =>
  part === "req" ? requestMessage(action) : confirmationMessage(action)

/** What this message meets when a Charge Point sends it to a strict Central System; undefined when none may send it. */
function read(action: ActionName, part: (typeof parts)[number], payload: unknown, level: "strict" | "tolerant") {
  if (part === "req") return isChargePointAction(action) ? readRequest(action, payload, level) : undefined
  return isCentralSystemAction(action) ? readConfirmation(action, payload, level) : undefined
}

test("the 39 actions are those of the official schemas", () => {
  expect(actions).toHaveLength(39)
  expect(actions.flatMap((action) => parts.map((part) => `${action}.${part}`)).sort()).toEqual(officialMessages.sort())
})

test("every text-only bound is one the official schema does not have", () => {
  for (const { message, path } of textOnlyBounds) {
    expect(officialMessages).toContain(message)
    expect(path).not.toBeEmpty()
  }
})

const keptAsItIs: ReadonlySet<string> = new Set(["too-long", "out-of-bounds", "empty-list", "too-precise"])

for (const action of actions) {
  for (const part of parts) {
    const message = messageOf(action, part)
    const agrees = (payload: unknown) => {
      const official = isOfficial(message.name, payload)
      expect(message.isOfficial(payload)).toBe(official)
      expect(v.safeParse(message.schema, payload).success).toBe(official)

      const withinBounds = official && findBoundFaults(message, payload).length === 0
      if (message.isSpotless(payload)) expect(withinBounds).toBe(true)
      else if (withinBounds) expect(JSON.stringify(payload)).toSatisfy(needsSecondLook)

      const faults = checkOutbound(action, part === "req" ? "request" : "confirmation", payload as object)
      expect(faults.length === 0).toBe(official)
      const strict = read(action, part, payload, "strict")
      if (strict) expect(strict.ok).toBe(withinBounds)
      const before = JSON.stringify(payload)
      const tolerant = read(action, part, payload, "tolerant")
      if (official && tolerant) expect(tolerant.ok).toBe(true)
      if (tolerant?.ok) {
        const understood = "request" in tolerant ? tolerant.request : tolerant.confirmation
        // Said by the book, it is understood as it is: only what was kept in spite of a bound remains to be noted.
        const again = read(action, part, understood, "tolerant")
        expect(again?.deviations.filter(({ kind }) => !keptAsItIs.has(kind))).toEqual([])
        if (tolerant.deviations.length === 0) expect<unknown>(understood).toBe(payload)
      }
      expect(JSON.stringify(payload)).toBe(before)
    }

    test(`${message.name}: strict agrees with the official schema, and Valibot with the compiled form`, () => {
      fc.assert(
        fc.property(validPayload(message.name), (payload) => {
          expect(isOfficial(message.name, payload)).toBe(true)
          agrees(payload)
        }),
        { numRuns: 150 },
      )
      fc.assert(fc.property(mutatedPayload(message.name), agrees), { numRuns: 500 })
    })
  }
}

const needsSecondLook = (json: string): boolean => hasUnusualDateTime(json) || hasInexactInteger(json)

const hasInexactInteger = (json: string): boolean => (json.match(/\d+e\+\d+|\d{16,}/g) ?? []).length > 0

function hasUnusualDateTime(json: string): boolean {
  const texts = json.match(/"\d{4}-[^"]*"/g) ?? []
  return texts.some((text) => !isUsualDateTime(JSON.parse(text)))
}
