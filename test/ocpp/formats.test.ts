import { expect, test } from "bun:test"
import fc from "fast-check"
import { isDateTime, isUsualDateTime, readDateTime } from "../../src/ocpp/date-time.ts"
import { isUri } from "../../src/ocpp/uri.ts"
import { isOfficial } from "./official.ts"

test("a text is a date-time exactly when the official schema says so", () => {
  const official = (currentTime: string) => isOfficial("Heartbeat.conf", { currentTime })
  const two = fc
    .oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 55, max: 61 }))
    .map((n) => `${n}`.padStart(2, "0"))
  const year = fc.constantFrom("2024", "2023", "1900", "2000", "0000", "24")
  const zone = fc.constantFrom("Z", "z", "", "+02", "-0230", "+02:30", "+24:60", "UTC", "+2")
  fc.assert(
    fc.property(
      fc.tuple(
        year,
        two,
        two,
        fc.constantFrom("T", "t", " ", "\n", "_", "TT"),
        two,
        two,
        two,
        fc.constantFrom("", ".5", ".", ",5"),
        zone,
      ),
      ([y, m, d, separator, hour, minute, second, fraction, offset]) => {
        const text = `${y}-${m}-${d}${separator}${hour}:${minute}:${second}${fraction}${offset}`
        expect(isDateTime(text)).toBe(official(text))
        if (isDateTime(text)) expect(readDateTime(text)).toBeDefined()
        if (isUsualDateTime(text)) expect(isDateTime(text) && !Number.isNaN(Date.parse(text))).toBe(true)
        const read = readDateTime(text)
        if (read) expect(read.value).toSatisfy(isUsualDateTime)
      },
    ),
    { numRuns: 5000 },
  )
})

test("an instant that is understood is the same instant", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), noInvalidDate: true, max: new Date("9999-12-31") }), (date) => {
      const text = date.toISOString()
      expect(readDateTime(text)).toEqual({ value: text, zoneMissing: false })
      expect(readDateTime(text.slice(0, -1))).toEqual({ value: text, zoneMissing: true })
      expect(readDateTime(text.replace("T", " "))?.value).toBe(text)
    }),
  )
})

test("a text full of blanks is read, or given up, at once", () => {
  const blanks = " ".repeat(200_000)
  expect(readDateTime(`${blanks}2026-05-01${blanks}12:00:00${blanks}Z${blanks}`)?.value).toBe(
    "2026-05-01T12:00:00.000Z",
  )
  expect(readDateTime(`2026-05-01T12:00:00${blanks}x`)).toBeUndefined()
})

test.each([
  "ftp://user:pass@example.org:21/logs",
  "http://[2001:db8::1]:8080/x?y=z#w",
  "http://[v1.a:b]/",
  "urn:uuid:1",
  "mailto:a@b",
  "http://",
  "a:",
  "a:?x",
  "http://[::g]/",
  "http://[fe80::1%eth0]/",
  "http://:http",
  "http:/a:80",
  "http:/[::g]",
  "http://a b/",
  "http://a/%2g",
  "//example.org/",
  "example.org",
  "",
  "1http://x/",
  'http://x/"',
  "http://x/é",
])("%s is a URI exactly when the official schema says so", (location) => {
  expect(isUri(location)).toBe(isOfficial("GetDiagnostics.req", { location }))
})

test("any text is a URI exactly when the official schema says so", () => {
  const parts = fc.constantFrom(
    "http",
    "ftp",
    "a",
    ":",
    "/",
    "//",
    "@",
    "[::1]",
    "%20",
    "%",
    "?",
    "#",
    " ",
    "é",
    "1",
    ".",
    '"',
    "[",
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 10 }), (written) => {
      const location = written.join("")
      expect(isUri(location)).toBe(isOfficial("GetDiagnostics.req", { location }))
    }),
    { numRuns: 5000 },
  )
})
