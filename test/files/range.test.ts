import { expect, test } from "bun:test"
import { wantedOf } from "../../src/files/range.ts"

test.each([
  [null, { kind: "Whole" }],
  ["bytes=0-0", { kind: "Part", start: 0, end: 1 }],
  ["bytes=10-19", { kind: "Part", start: 10, end: 20 }],
  ["bytes=90-", { kind: "Part", start: 90, end: 100 }],
  ["bytes=90-1000", { kind: "Part", start: 90, end: 100 }],
  ["bytes=-5", { kind: "Part", start: 95, end: 100 }],
  ["bytes=-500", { kind: "Part", start: 0, end: 100 }],
  ["BYTES = 1-2", { kind: "Whole" }],
  ["bytes=100-", { kind: "Beyond" }],
  ["bytes=-0", { kind: "Beyond" }],
  ["bytes=20-10", { kind: "Whole" }],
  ["bytes=-", { kind: "Whole" }],
  ["bytes=0-1,5-6", { kind: "Whole" }],
  ["bytes=a-b", { kind: "Whole" }],
  ["bytes=99999999999999999999-", { kind: "Whole" }],
  ["lines=0-1", { kind: "Whole" }],
] as const)("of 100 bytes, Range %p wants %p. RFC 9110 §14.1", (range, wanted) => {
  const headers = new Headers(range === null ? {} : { range })
  expect(wantedOf(headers, 100, '"x"')).toEqual(wanted)
})

test("a range counts only of the file that the client has part of. RFC 9110 §13.1.5", () => {
  const asked = (condition: string) => wantedOf(new Headers({ range: "bytes=0-9", "if-range": condition }), 100, '"x"')
  expect(asked('"x"').kind).toBe("Part")
  expect(asked('"y"').kind).toBe("Whole")
  expect(asked('W/"x"').kind).toBe("Whole")
})
