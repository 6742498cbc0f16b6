import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { OcppError } from "../../src/ocpp/errors.ts"
import { call, callError, callResult, readFrame } from "../../src/ocpp/frame.ts"

const kinds = (text: string) => readFrame(text).deviations.map(({ kind }) => kind as string)

describe("clean frames", () => {
  test("a CALL", () => {
    expect(readFrame('[2,"19223201","BootNotification",{"chargePointVendor":"V"}]')).toEqual({
      frame: { type: "call", uniqueId: "19223201", action: "BootNotification", payload: { chargePointVendor: "V" } },
      deviations: [],
    })
  })

  test("a CALLRESULT", () => {
    expect(readFrame('[3,"19223201",{"status":"Accepted"}]')).toEqual({
      frame: { type: "call-result", uniqueId: "19223201", payload: { status: "Accepted" } },
      deviations: [],
    })
  })

  test("a CALLERROR", () => {
    expect(readFrame('[4,"162376037","NotSupported","",{"a":1}]')).toEqual({
      frame: {
        type: "call-error",
        uniqueId: "162376037",
        code: "NotSupported",
        writtenCode: "NotSupported",
        description: "",
        details: { a: 1 },
      },
      deviations: [],
    })
  })
})

describe("tolerated frames", () => {
  test.each([
    ["null for an empty payload", '[2,"1","Heartbeat",null]', "null-payload"],
    ["a CALL without its payload", '[2,"1","Heartbeat"]', "missing-payload"],
    ["a CALL with a fifth element", '[2,"1","Heartbeat",{},"x"]', "extra-elements"],
    ["a number as unique id", '[2,1,"Heartbeat",{}]', "numeric-unique-id"],
    ["a message type in quotation marks", '["2","1","Heartbeat",{}]', "wrong-type"],
    ["a comma too many", '[2,"1","Heartbeat",{},]', "broken-json"],
  ])("%s", (_what, text, kind) => {
    const { frame } = readFrame(text)
    expect(frame).toEqual({ type: "call", uniqueId: "1", action: "Heartbeat", payload: {} })
    expect(kinds(text)).toEqual([kind])
  })

  test("a field whose value is missing", () => {
    const text = String.raw`[2,"1","MeterValues",{"connectorId":1,"transactionId":,"x":"a\":,b"}]`
    expect(readFrame(text).frame).toMatchObject({ payload: { connectorId: 1, transactionId: null, x: 'a":,b' } })
    expect(kinds(text)).toEqual(["broken-json"])
    expect(readFrame(text, "strict").frame).toMatchObject({
      type: "unreadable-call",
      error: { code: "FormationViolation" },
    })
  })

  test("a unique id of 37 characters", () => {
    const uniqueId = "x".repeat(37)
    const text = call(uniqueId, "Heartbeat", {})
    expect(readFrame(text).frame).toMatchObject({ type: "call", uniqueId })
    expect(kinds(text)).toEqual(["long-unique-id"])
  })

  test("null for an empty CALLRESULT", () => {
    expect(readFrame('[3,"1",null]').frame).toEqual({ type: "call-result", uniqueId: "1", payload: {} })
  })

  test.each([
    ["of four elements", '[4,"1","GenericError","oops"]', "GenericError", "oops", ["short-call-error"]],
    ["of three elements", '[4,"1","InternalError"]', "InternalError", "", ["short-call-error"]],
    ["with an unknown code", '[4,"1","Oops","x",{}]', "GenericError", "x", ["unknown-error-code"]],
    ["with a corrected spelling", '[4,"1","FormatViolation","",{}]', "FormationViolation", "", []],
    ["with a list of details", '[4,"1","GenericError","",[]]', "GenericError", "", ["short-call-error"]],
  ])("a CALLERROR %s", (_what, text, code, description, deviations) => {
    expect(readFrame(text).frame).toMatchObject({ type: "call-error", uniqueId: "1", code, description, details: {} })
    expect(kinds(text)).toEqual(deviations)
  })
})

describe("CALLs that are refused, with the unique id they came with", () => {
  test.each([
    ["without an action", '[2,"7"]', "ProtocolError"],
    ["with an action that is no string", '[2,"7",8,{}]', "FormationViolation"],
    ["with a payload that is not JSON", '[2,"7","Heartbeat",{"a":tru}]', "FormationViolation"],
    ["cut off in the middle", '[2,"7","StopTransaction",{"idTag":"', "FormationViolation"],
  ])("%s", (_what, text, code) => {
    for (const level of ["strict", "tolerant"] as const) {
      expect(readFrame(text, level).frame).toMatchObject({ type: "unreadable-call", uniqueId: "7", error: { code } })
    }
  })

  test.each([
    ["with three elements", '[2,"7","Heartbeat"]', "ProtocolError"],
    ["with five elements", '[2,"7","Heartbeat",{},{}]', "ProtocolError"],
  ])("%s, in strict", (_what, text, code) => {
    expect(readFrame(text, "strict").frame).toMatchObject({ type: "unreadable-call", uniqueId: "7", error: { code } })
  })

  test("with a unique id over 36 characters, in strict", () => {
    const uniqueId = "x".repeat(37)
    expect(readFrame(call(uniqueId, "Heartbeat", {}), "strict").frame).toMatchObject({
      type: "unreadable-call",
      uniqueId,
      error: { code: "FormationViolation" },
    })
  })
})

describe("what cannot be answered is ignored", () => {
  test.each([
    ["an empty frame", "", "empty-frame"],
    ["blanks", " \r\n", "empty-frame"],
    ["no JSON", "hello", "unreadable-frame"],
    ["no list", '{"a":1}', "unreadable-frame"],
    ["null", "null", "unreadable-frame"],
    ["an empty list", "[]", "unknown-message-type"],
    ["an unknown message type", '[7,"1",{}]', "unknown-message-type"],
    ["a CALL without a unique id", "[2]", "unreadable-frame"],
    ["a CALL whose unique id is an object", '[2,{},"Heartbeat",{}]', "unreadable-frame"],
    ["an answer without a unique id", "[3]", "unreadable-frame"],
    ["a message type that is a list", '[[2],"1","Heartbeat",{}]', "unknown-message-type"],
    ["a message type that is an object", '[{"toString":2},"1","Heartbeat",{}]', "unknown-message-type"],
  ])("%s", (_what, text, kind) => {
    expect(readFrame(text).frame.type).toBe("ignored")
    expect(kinds(text)).toEqual([kind])
  })

  test("the unique id of an unknown message type is kept", () => {
    expect(readFrame('[7,"1",{}]').frame).toMatchObject({ type: "ignored", uniqueId: "1" })
  })
})

test("whatever arrives, reading it does not throw", () => {
  const parts = fc.constantFrom(...'[]{}",:2340 \\u"1"truenull'.split(""), '"Heartbeat"', "😀", '\\"', "\\")
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 40 }), fc.constantFrom("strict", "tolerant"), (text, level) => {
      expect(readFrame(text.join(""), level).frame.type).toBeString()
    }),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), (text) => void readFrame(`[2,"1","x",${text}]`)))
})

test.each([
  ["an endless string", `[2,"1","x",{"a":"${'\\"'.repeat(120_000)}`],
  ["a deep list", "[".repeat(200_000)],
  ["a deep payload", `[2,"1","x",${"[".repeat(100_000)}${"]".repeat(100_000)},0]`],
])("%s does no harm", (_what, text) => {
  expect(["ignored", "unreadable-call", "call"]).toContain(readFrame(text).frame.type)
})

describe("characters that no text on disk can hold", () => {
  test.each([
    ["NUL", "a\\u0000b", "a\ufffdb"],
    ["the first half of a pair", "\\ud83d!", "\ufffd!"],
    ["the second half of a pair", "\\uDE00", "\ufffd"],
    ["halves in the wrong order", "\\ude00\\ud83d", "\ufffd\ufffd"],
  ])("are replaced and reported: %s", (_what, written, read) => {
    const text = `[2,"1","DataTransfer",{"vendorId":"${written}"}]`
    expect(readFrame(text).frame).toMatchObject({ type: "call", payload: { vendorId: read } })
    expect(readFrame(text, "strict").frame).toMatchObject({ type: "call", payload: { vendorId: read } })
    expect(kinds(text)).toEqual(["unwritable-character"])
  })

  test("leave the unique id alone, for the answer has to carry the same", () => {
    const { frame } = readFrame('[2,"\\ud83d\\u0000","Heartbeat",{}]')
    expect(frame).toMatchObject({ type: "call", uniqueId: "\ud83d\0" })
  })

  test("are not whole pairs, other escapes, or a backslash before a u", () => {
    const vendorId = "\u{1f600}\n\\u0000\\\\ud83d"
    const text = call("1", "DataTransfer", { vendorId }).replace("\u{1f600}", "\\uD83D\\uDE00")
    expect(text).toContain("\\uD83D\\uDE00")
    expect(readFrame(text)).toMatchObject({ frame: { payload: { vendorId } }, deviations: [] })
  })
})

test("what we write is read back", () => {
  expect(readFrame(call("1", "Reset", { type: "Soft" })).frame).toMatchObject({ type: "call", action: "Reset" })
  expect(callResult("1", {})).toBe('[3,"1",{}]')
  const told = { currentTime: "2026-03-01T10:00:00.000Z" }
  expect(callResult('"2"', told)).toBe('[3,"\\"2\\"",{"currentTime":"2026-03-01T10:00:00.000Z"}]')
  expect(callResult("3", told)).toBe('[3,"3",{"currentTime":"2026-03-01T10:00:00.000Z"}]')
  expect(callResult("4", { status: "Accepted" })).toBe('[3,"4",{"status":"Accepted"}]')
  const description = "é".repeat(2000)
  expect(readFrame(callError("1", new OcppError("SecurityError", description))).frame).toMatchObject({
    type: "call-error",
    description,
    details: {},
  })
  expect(callError("1", new OcppError("NotImplemented"))).toBe('[4,"1","NotImplemented","",{}]')
})
