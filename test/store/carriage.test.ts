import { expect, test } from "bun:test"
import { once } from "node:events"
import { MessageChannel } from "node:worker_threads"
import type { Reading } from "../../src/facts/catalogue.ts"
import type { Write } from "../../src/store/group.ts"
import { type CarriedWrites, carryWrites, unpackWrites } from "../../src/store/sqlite/carriage.ts"
import { idTagRow } from "../support/charging.ts"

const hostile = [
  "",
  "\n",
  ",\n",
  "\0",
  '"',
  "\\",
  "\\u0000",
  "\ud800",
  "\udc00x",
  "😀",
  "ÿĀ",
  "]",
  "reportMeterValues",
  "null",
  "12",
]

const reading = (sampledValues: string, change: Partial<Reading> = {}): Reading => ({
  digest: "00ff00ff00ff00ff",
  at: 1_700_000_000_123,
  sampledValues,
  registerWh: null,
  powerW: -0.25,
  ...change,
})

const meterValues = (readings: Reading[], transactionId: number | null = 7, text = "default"): Write => ({
  name: "reportMeterValues",
  input: {
    organisationId: text,
    chargePointId: text,
    epoch: Number.MAX_SAFE_INTEGER,
    receivedAt: 1_700_000_000_456,
    connectorId: 0,
    transactionId,
    readings,
  },
})

const others: Write[] = [
  { name: "createIdTag", input: { idTag: idTagRow("04A1") } },
  { name: "report", input: { id: "1", payload: hostile.join("|"), list: [null, [], {}, [1, [2]]] } },
  { name: "markPublished", input: [] },
  { name: "prune", input: "a text alone" },
]

const cases: [string, Write[]][] = [
  ["nothing", []],
  ["a message without readings", [meterValues([])]],
  ["readings of all lengths", [meterValues(hostile.map((text) => reading(text)))]],
  ["hostile texts in every field", hostile.map((text) => meterValues([reading(text, { digest: text })], null, text))],
  ["numbers that are there and that are not", [meterValues([reading("[]", { registerWh: 0, powerW: null })], -1)]],
  ["other writes", others],
  ["other writes between", others.flatMap((write) => [meterValues([reading("[1]"), reading("é")]), write])],
]

test.each(cases)("to the thread come as they were: %s", async (_, writes) => {
  const { port1: here, port2: there } = new MessageChannel()
  here.postMessage(carryWrites(writes))
  const [carried]: CarriedWrites[] = await once(there, "message")
  here.close()
  expect(carried && unpackWrites(carried)).toStrictEqual(writes)
})
