import { expect, test } from "bun:test"
import { BrokenSeal, Seals } from "../../src/services/seals.ts"

const KEY = "a key that all nodes share"
const seals = new Seals(KEY)
const text = '{"key":"AuthorizationKey","value":"pässword"}'

test("what is sealed is opened by every node with the same key, and never looks the same twice", () => {
  const sealed = seals.seal(text, "c1")
  expect(new Seals(KEY).open(sealed, "c1")).toBe(text)
  expect(seals.seal(text, "c1")).not.toBe(sealed)
  expect(Buffer.from(sealed.slice(6), "base64url").toString("latin1")).not.toContain("Authorization")
})

test.each<[string, (sealed: string) => unknown]>([
  ["with another key", (sealed) => new Seals("another key").open(sealed, "c1")],
  ["at another place", (sealed) => seals.open(sealed, "c2")],
  ["changed in its last byte", (sealed) => seals.open(changed(sealed, -1), "c1")],
  ["changed in its first byte", (sealed) => seals.open(changed(sealed, 0), "c1")],
  ["cut short", (sealed) => seals.open(sealed.slice(0, 20), "c1")],
  ["that is none", () => seals.open(text, "c1")],
])("a seal %s is broken", (_what, open) => {
  expect(() => open(seals.seal(text, "c1"))).toThrow(BrokenSeal)
})

function changed(sealed: string, at: number): string {
  const bytes = Buffer.from(sealed.slice("gcm1.".length), "base64url")
  const index = at < 0 ? bytes.length + at : at
  bytes[index] = (bytes[index] ?? 0) ^ 1
  return `gcm1.${bytes.toString("base64url")}`
}

test("equal values have one digest, whatever the order of their fields, and others another", () => {
  const one = seals.digest({ a: 1, b: { c: [1, 2], d: "x" } })
  expect(seals.digest({ b: { d: "x", c: [1, 2] }, a: 1 })).toBe(one)
  expect(seals.digest({ a: 1, b: { c: [2, 1], d: "x" } })).not.toBe(one)
  expect(seals.digest({ a: 1, b: { c: [1, 2], d: "y" } })).not.toBe(one)
  expect(new Seals("another key").digest({ a: 1, b: { c: [1, 2], d: "x" } })).not.toBe(one)
})
