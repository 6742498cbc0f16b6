/** Readings: found by connector, by transaction and by name, however many came, in whatever order, and each once. */
import { expect, test } from "bun:test"
import type { MeterValueRow } from "../../../src/facts/rows.ts"
import type { Store } from "../../../src/services/ports.ts"
import { caller, meterValue, meterValues, minute, start } from "../../support/charging.ts"
import { leaf } from "../leaf.ts"
import type { OpenPlace, Place } from "../place.ts"

/** Enough for some to stand in a charge point's lists and others not yet; the last number is one of the latter. */
const MANY = 75
const CONNECTORS = [1, 2, 3]

interface Sent {
  chargePointId: string
  connectorId: number
  transactionId: number | null
  minutes: number
}

/** Two charge points with a transaction each, whose readings come shuffled, and readings without one. */
async function send(store: Store): Promise<Sent[]> {
  const sent: Sent[] = []
  for (const chargePointId of ["cp1", "cp2"]) {
    const { transactionId } = await store.change("startTransaction", start({}, { chargePointId }))
    for (let index = 0; index < MANY; index++) {
      const connectorId = CONNECTORS[index % CONNECTORS.length] ?? 1
      sent.push({
        chargePointId,
        connectorId,
        transactionId: connectorId === 1 ? transactionId : null,
        minutes: 1 + ((index * 37) % MANY),
      })
    }
  }
  for (let from = 0; from < sent.length; from += 10)
    await Promise.all(sent.slice(from, from + 10).map((one) => report(store, one)))
  return sent
}

const report = (store: Store, { chargePointId, connectorId, transactionId, minutes }: Sent) =>
  store.change(
    "reportMeterValues",
    meterValues({ connectorId, transactionId }, [meterValue(minutes, [energy(minutes), POWER])], { chargePointId }),
  )

const energy = (minutes: number) => ({ value: String(1000 + minutes) })
const POWER = { value: "7.4", unit: "kW", measurand: "Power.Active.Import" } as const

const nameOf = ({ chargePointId, connectorId, transactionId, at }: MeterValueRow) =>
  `${chargePointId} ${connectorId} ${transactionId} ${at}`

/** The names of what was sent, oldest first. */
const names = (sent: readonly Sent[]) =>
  sent
    .toSorted((one, other) => one.minutes - other.minutes || one.connectorId - other.connectorId)
    .map((one) => `${one.chargePointId} ${one.connectorId} ${one.transactionId} ${minute(one.minutes)}`)

/** Every list of readings holds what was sent, and nothing twice. */
async function expectAll({ read }: Store, sent: readonly Sent[]): Promise<void> {
  for (const chargePointId of ["cp1", "cp2"]) {
    const own = sent.filter((one) => one.chargePointId === chargePointId)
    const ofAll = await leaf((page) => read.meterValues("default", { chargePointId }, page))
    expect(ofAll.forwards.map(nameOf)).toEqual(names(own))
    expect(ofAll.backwards).toEqual(ofAll.forwards)
    for (const connectorId of CONNECTORS) {
      const of = { chargePointId, connectorId }
      const ofOne = await leaf((page) => read.meterValues("default", of, page))
      expect(ofOne.forwards.map(nameOf)).toEqual(names(own.filter((one) => one.connectorId === connectorId)))
      expect(ofOne.backwards).toEqual(ofOne.forwards)
    }
    const transactionId = own.find((one) => one.transactionId !== null)?.transactionId ?? 0
    const inIt = own.filter((one) => one.transactionId === transactionId)
    const ofTransaction = await leaf((page) => read.meterValues("default", { transactionId }, page))
    expect(ofTransaction.forwards.map(nameOf)).toEqual(names(inIt))
    expect(ofTransaction.backwards).toEqual(ofTransaction.forwards)
    for (const page of [{ first: 4 }, { last: 4 }, { first: 100 }]) {
      const each = await read.meterValuesOfEach([transactionId, 999], page)
      expect(each.get(transactionId)).toEqual(await read.meterValues("default", { transactionId }, page))
      expect(each.get(999)?.rows).toEqual([])
    }
    const latest = await read.latestMeterValuesOf([chargePointId], 5)
    expect(latest.map(nameOf)).toEqual(
      CONNECTORS.flatMap((connectorId) =>
        names(own.filter((one) => one.connectorId === connectorId))
          .toReversed()
          .slice(0, 5),
      ),
    )
    const byRefs = await read.meterValuesByRefs(ofAll.forwards)
    expect(byRefs.map(nameOf).sort()).toEqual(names(own).sort())
    expect(new Set(byRefs.map(nameOf)).size).toBe(own.length)
  }
  expect((await read.meterValues("other", { chargePointId: "cp1" }, {})).rows).toEqual([])
}

/** Puts the tables back to how they were before migration 0011, with what is in them. */
async function asBefore0011({ options, query }: Place): Promise<void> {
  if (options.url === undefined) {
    await query("DROP TABLE meter_values_by_connector")
    await query("DROP TABLE meter_values_by_transaction")
    await query("CREATE UNIQUE INDEX meter_values_key ON meter_values (charge_point_id, connector_id, at, digest)")
    await query("CREATE INDEX meter_values_of_transaction ON meter_values (transaction_id, at)")
  }
  await query("ALTER TABLE subjects DROP COLUMN readings")
  await query("DELETE FROM migrations WHERE name = '0011-filed-readings'")
}

export function readingContract(openPlace: OpenPlace): void {
  test("readings that came shuffled are all found, in order, by connector, transaction and name", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await expectAll(store, await send(store))
  })

  test("a reading that comes again is known for the same, however long ago it came", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const sent = await send(store)
    for (const one of sent) expect(await report(store, one)).toMatchObject({ stored: 0 })
    const all = await Promise.all(sent.map((one) => report(store, one)))
    expect(all.filter(({ stored }) => stored !== 0)).toEqual([])
    // Of the same instant, but another reading.
    const [first] = sent
    const other = meterValues({ connectorId: first!.connectorId }, [meterValue(first!.minutes, 5)])
    expect(await store.change("reportMeterValues", other)).toMatchObject({ stored: 1 })
  })

  test("whoever asks again and again for what has just come need not have it read from the database", async () => {
    await using place = await openPlace()
    let now = minute(60)
    const store = await place.open({ now: () => now })
    const wanted = async (one: Sent) => {
      await report(store, one)
      const { rows } = await store.read.meterValues("default", { chargePointId: "cp1" }, { last: 1 })
      return rows.map(({ row }) => row)
    }
    const readings = (minutes: number): Sent => ({ chargePointId: "cp1", connectorId: 1, transactionId: null, minutes })
    const unasked = await wanted(readings(1))
    const gone = () => place.query("DELETE FROM meter_values")
    await gone()
    expect(await store.read.meterValuesByRefs(unasked)).toEqual([])
    const asked = await wanted(readings(2))
    expect(asked).toHaveLength(1)
    await gone()
    expect(await store.read.meterValuesByRefs([...unasked, ...asked])).toEqual(asked)
    // What has been removed is not given for long.
    now += 6_000
    expect(await store.read.meterValuesByRefs(asked)).toEqual([])
    const several = meterValues({}, [meterValue(3, 1), meterValue(4, 2)], { chargePointId: "cp1" })
    await store.change("reportMeterValues", several)
    const { rows } = await store.read.meterValues("default", { chargePointId: "cp1" }, { last: 2 })
    const both = rows.map(({ row }) => row)
    expect(await store.read.meterValuesByRefs(both)).toEqual(both)
  })

  test("readings of an older version's database are found, and known when they come again", async () => {
    await using place = await openPlace()
    const before = await place.open()
    const sent = await send(before)
    await before[Symbol.asyncDispose]()
    await asBefore0011(place)
    const store = await place.open()
    await expectAll(store, sent)
    for (const one of sent) expect(await report(store, one)).toMatchObject({ stored: 0 })
    const later = { ...sent[0]!, minutes: MANY + 1 }
    expect(await report(store, later)).toMatchObject({ stored: 1 })
    expect(await report(store, later)).toMatchObject({ stored: 0 })
    await expectAll(store, [...sent, later])
  })

  test("what is pruned is in no list any more, and what is left still is", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const receivedAt = minute(600)
    const values = Array.from({ length: 2 * MANY }, (_, index) => meterValue(index, index))
    for (const [index, value] of values.entries())
      await store.change("reportMeterValues", {
        ...meterValues({}, [value]),
        ...caller({ receivedAt: receivedAt + index }),
      })
    const gone = 2 * MANY - 10
    expect(await store.prune({ meterValues: receivedAt + gone }, 10_000)).toBe(gone)
    const { forwards } = await leaf((page) => store.read.meterValues("default", { chargePointId: "cp1" }, page))
    expect(forwards.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, index) => minute(gone + index)))
    for (const list of ["meter_values_by_connector", "meter_values_by_transaction"])
      if (place.options.url === undefined)
        expect(
          await place.query(`SELECT * FROM ${list} WHERE meter_value_id NOT IN (SELECT id FROM meter_values)`),
        ).toEqual([])
    // Stored anew: nobody remembers it.
    expect(await store.change("reportMeterValues", meterValues({}, [values[0]!]))).toMatchObject({ stored: 1 })
  })
}
