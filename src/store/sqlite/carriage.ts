/** How groups cross to the writer thread: as text, which crosses faster than objects. */
import type { InputOf } from "../../facts/catalogue.ts"
import type { Write } from "../group.ts"

export interface CarriedWrites {
  /**
   * JSON list of all writes, one behind the other: each its name, then its input. Meter values, which come by the thousand,
   * go without the names of their fields, so that nobody has to write and read those.
   */
  values: string
  /**
   * What of meter values is JSON already and makes nearly all of them: in JSON once more it would be escaped, scanned and
   * unescaped. One behind the other; how long each is stands among the values.
   */
  texts: string
}

type MeterValues = InputOf<"reportMeterValues">

/** Writes on their way to the thread. */
export function carryWrites(writes: readonly Write[]): CarriedWrites {
  const values: unknown[] = []
  let texts = ""
  for (const { name, input } of writes) {
    values.push(name)
    if (name === "reportMeterValues") texts += pushMeterValues(values, input as MeterValues)
    else values.push(input)
  }
  return { values: JSON.stringify(values), texts }
}

/** Returns the texts. */
function pushMeterValues(values: unknown[], input: MeterValues): string {
  const { organisationId, chargePointId, epoch, receivedAt, connectorId, transactionId, readings } = input
  values.push(organisationId, chargePointId, epoch, receivedAt, connectorId, transactionId, readings.length)
  let texts = ""
  for (const { digest, at, sampledValues, registerWh, powerW } of readings) {
    values.push(digest, at, sampledValues.length, registerWh, powerW)
    texts += sampledValues
  }
  return texts
}

/** The other end of the journey. */
export function unpackWrites({ values: json, texts }: CarriedWrites): Write[] {
  const values: unknown[] = JSON.parse(json)
  const writes: Write[] = []
  let from = 0
  let at = 0
  // As `carryWrites` has put it there.
  const next = <Value>() => values[at++] as Value
  while (at < values.length) {
    const name = next<Write["name"]>()
    if (name !== "reportMeterValues") {
      writes.push({ name, input: next() })
      continue
    }
    const input: MeterValues = {
      organisationId: next(),
      chargePointId: next(),
      epoch: next(),
      receivedAt: next(),
      connectorId: next(),
      transactionId: next(),
      readings: [],
    }
    for (let left = next<number>(); left > 0; left--) {
      const reading = { digest: next<string>(), at: next<number>() }
      const to = from + next<number>()
      const sampledValues = texts.slice(from, to)
      from = to
      input.readings.push({ ...reading, sampledValues, registerWh: next(), powerW: next() })
    }
    writes.push({ name, input })
  }
  return writes
}
