import { expect, test } from "bun:test"
import { registerWhOf } from "../../src/facts/energy.ts"
import type { SampledValue } from "../../src/ocpp/types.ts"
import { meterValue, meterValues, minute, start, stop, time } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"

const register = "Energy.Active.Import.Register"
const phased = (...values: [SampledValue["phase"], string][]) =>
  values.map(([phase, value]): SampledValue => ({ value, ...(phase !== undefined && { phase }) }))

const readable: [sentence: string, sampled: SampledValue[], wh: number | null][] = [
  ["without measurand and unit it is the import register in Wh", [{ value: "1234" }], 1234],
  ["kWh become Wh", [{ value: "1.234", measurand: register, unit: "kWh" }], 1234],
  ["fractions are rounded to whole Wh", [{ value: "1234.5678" }], 1235],
  ["kWh with many decimals are rounded likewise", [{ value: "0.1234567", unit: "kWh" }], 123],
  ["blanks around the number do not matter", [{ value: " 7 " }], 7],
  ["the exponent form of a number is read", [{ value: "1.5e3" }], 1500],
  ["signed data is no number", [{ value: "1234", format: "SignedData" }], null],
  ["text is no number", [{ value: "OCMF|{}" }], null],
  ["nothing is no number", [{ value: "" }], null],
  ["a negative register does not exist", [{ value: "-5" }], null],
  ["a number beyond counting is left aside", [{ value: "1e300" }], null],
  ["another measurand is not energy", [{ value: "16", measurand: "Current.Import", unit: "A" }], null],
  ["another unit is not energy", [{ value: "16", unit: "varh" }], null],
  ["an unreadable value leaves the next", [{ value: "?" }, { value: "8" }], 8],
  ["no phase is preferred to phases", phased(["L1", "1"], ["L2", "2"], ["L3", "3"], [undefined, "7"]), 7],
  ["three phases are summed", phased(["L1", "1"], ["L2", "2"], ["L3", "3"]), 6],
  ["three phases against neutral are summed", phased(["L1-N", "1"], ["L2-N", "2"], ["L3-N", "3"]), 6],
  ["two phases are not the whole", phased(["L1", "1"], ["L2", "2"]), null],
  ["the outlet is preferred", [{ value: "9", location: "Inlet" }, { value: "8" }], 8],
  ["elsewhere is better than nothing", [{ value: "9", location: "Inlet" }], 9],
  ["the begin's value is not the present one", [{ value: "1", context: "Transaction.Begin" }, { value: "5" }], 5],
]
test.each(readable)("%s", (_, sampled, wh) => {
  expect(registerWhOf(sampled)).toBe(wh)
})

test.each(readable)("beside the neutral's, which never counts, too: %s", (_, sampled, wh) => {
  expect(registerWhOf([...sampled, { value: "3", phase: "N" }])).toBe(wh)
})

/** Charges from minute 0 at meterStart, reports these register values minute by minute, and stops at minute 60. */
async function charge(meterStart: number, readings: number[], meterStop?: number) {
  const facts = new MemoryFacts()
  const { transactionId } = await facts.change("startTransaction", start({ meterStart }))
  for (const [index, wh] of readings.entries()) {
    await facts.change("reportMeterValues", meterValues({ transactionId }, [meterValue(index + 1, wh)]))
  }
  if (meterStop !== undefined) await facts.change("stopTransaction", stop({ transactionId, meterStop }))
  const [{ energyWh, energyNote }] = facts.rows("transactions") as [ReturnType<typeof facts.rows<"transactions">>[0]]
  return { energyWh, energyNote }
}

const running: [string, meterStart: number, readings: number[], energyWh: number | null, note: string | null][] = [
  ["nothing is known before the first reading", 1000, [], null, null],
  ["the newest register less meterStart", 1000, [1000, 1500, 2500], 1500, null],
  ["a restarted register's streaks are added up", 1000, [2000, 0, 600], 1600, "RegisterRestarted"],
  ["a register that restarts twice has three streaks", 1000, [2000, 0, 600, 100, 150], 1650, "RegisterRestarted"],
  ["a small step back is ignored", 1000, [2000, 1990, 2010], 1010, "RegisterRanBackwards"],
  ["a dip that comes back at once was an error", 1_000_000, [1_001_000, 0, 1_002_000], 2000, "RegisterRanBackwards"],
  ["a dip of a few readings, too", 1_000_000, [1_001_000, 0, 0, 1_000_990], 1000, "RegisterRanBackwards"],
  ["readings that count from the session's start", 1_000_000, [0, 400, 900], 900, "RegisterRestarted"],
]
test.each(running)("while running: %s", async (_, meterStart, readings, energyWh, energyNote) => {
  expect<object>(await charge(meterStart, readings)).toEqual({ energyWh, energyNote })
})

const stopped: [string, meterStart: number, readings: number[], meterStop: number, wh: number, note: string | null][] =
  [
    ["meterStop less meterStart", 1000, [1500, 2500], 4000, 3000, null],
    ["no reading is needed", 1000, [], 4000, 3000, null],
    ["nothing charged is no oddity", 1000, [1000], 1000, 0, null],
    ["a stop a little below the last reading still counts", 1000, [2000], 1990, 990, "RegisterRanBackwards"],
    ["a stop below the start: what the readings say", 5000, [6000, 7000, 200], 1200, 3000, "StopBelowStart"],
    ["a stop below the start without readings", 5000, [], 300, 0, "StopBelowStart"],
    ["a stop below the start by a hair", 5000, [], 4999, 0, "StopBelowStart"],
    ["a restart before a stop above the start", 0, [3000, 0, 500, 1000, 1500], 2600, 5600, "RegisterRestarted"],
    ["session readings between lifetime ends", 1_000_000, [0, 400, 900], 1_001_000, 1000, "RegisterRanBackwards"],
    ["lifetime readings between session ends", 0, [1_000_000, 1_003_000], 3000, 3000, "RegisterRanBackwards"],
  ]
test.each(stopped)("after the stop: %s", async (_, meterStart, readings, meterStop, energyWh, energyNote) => {
  expect<object>(await charge(meterStart, readings, meterStop)).toEqual({ energyWh, energyNote })
})

test("readings that arrive out of order give the energy of their order in time", async () => {
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start())
  for (const [at, wh] of [
    [3, 2000],
    [1, 1200],
    [2, 1500],
    [4, 2500],
  ] as const) {
    await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(at, wh)]))
  }
  expect(facts.rows("transactions")).toMatchObject([
    { energyWh: 1500, energyNote: null, registerAt: minute(4), registerWh: 2500 },
  ])
})

test("readings from before the start and after the end do not count", async () => {
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start({ meterStart: 1000 }))
  await facts.change(
    "reportMeterValues",
    meterValues({ transactionId: 1 }, [meterValue(-5, 90_000), meterValue(0, 5), meterValue(70, 10)]),
  )
  await facts.change("stopTransaction", stop({ transactionId: 1, meterStop: 1400, timestamp: time(60) }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(65, 99_000)]))
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 400, energyNote: null }])
  expect(facts.rows("meterValues")).toHaveLength(4)
})

test("what comes with the StopTransaction counts like readings that came before", async () => {
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start({ meterStart: 5000 }))
  await facts.change("reportMeterValues", meterValues({ transactionId: 1 }, [meterValue(10, 6000)]))
  const transactionData = [meterValue(10, 6000), meterValue(20, 7000), meterValue(30, 100)]
  await facts.change("stopTransaction", stop({ transactionId: 1, meterStop: 300, transactionData }))
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: 2200, energyNote: "StopBelowStart" }])
  expect(facts.rows("meterValues")).toHaveLength(3)
})

test("another connector's meter says nothing about a transaction, whatever id its readings name", async () => {
  const facts = new MemoryFacts()
  await facts.change("startTransaction", start({ connectorId: 1 }))
  await facts.change("reportMeterValues", meterValues({ connectorId: 2, transactionId: 1 }, [meterValue(5, 70_000)]))
  expect(facts.rows("transactions")).toMatchObject([{ energyWh: null }])
  expect(facts.rows("meterValues")).toMatchObject([{ transactionId: 1, connectorId: 2 }])
})
