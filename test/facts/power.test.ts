import { expect, test } from "bun:test"
import { powerWOf } from "../../src/facts/power.ts"
import type { SampledValue } from "../../src/ocpp/types.ts"

const measurand = "Power.Active.Import"
const power = (value: string, change: Partial<SampledValue> = {}): SampledValue => ({ value, measurand, ...change })

const readable: [sentence: string, sampled: SampledValue[], watts: number | null][] = [
  ["without a unit it is W", [power("7360.5")], 7360.5],
  ["kW become W", [power("7.36", { unit: "kW" })], 7360],
  ["blanks around the number do not matter", [power(" 7 ")], 7],
  ["what is given back is negative", [power("-5")], -5],
  ["nothing is delivered without a sign", [power("-0")], 0],
  ["signed data is no number", [power("1234", { format: "SignedData" })], null],
  ["text is no number", [power("OCMF|{}")], null],
  ["nothing is no number", [power(" ")], null],
  ["more than anybody delivers is left aside", [power("1000000001")], null],
  ["as much as that is not", [power("1000000", { unit: "kW" })], 1e9],
  ["another measurand is not power", [{ value: "5" }, { value: "16", measurand: "Power.Offered" }], null],
  ["at the outlet it is delivered", [power("5", { location: "Outlet" })], 5],
  ["elsewhere it is not", [power("5", { location: "Inlet" })], null],
  ["the last of several is the present one", [power("5"), power("6")], 6],
  ["no phase is preferred to phases", [power("1", { phase: "L1" }), power("7"), power("2", { phase: "L2" })], 7],
  ["phases are summed", [power("1", { phase: "L1" }), power("2", { phase: "L2" }), power("4", { phase: "L3" })], 7],
  ["phases against neutral are summed", [power("1", { phase: "L1-N" }), power("2", { phase: "L2-N" })], 3],
  ["one phase may be all there is", [power("3", { phase: "L2" })], 3],
  ["between phases nothing is delivered", [power("3", { phase: "L1-L2" })], null],
]
test.each(readable)("%s", (_, sampled, watts) => {
  expect(powerWOf(sampled)).toBe(watts)
})

test.each(readable)("beside the neutral's, which never counts, too: %s", (_, sampled, watts) => {
  expect(powerWOf([...sampled, power("3", { phase: "N" })])).toBe(watts)
})
