import { expect, test } from "bun:test"
import fc from "fast-check"
import type { Event } from "../../src/facts/events.ts"
import type { TransactionRow } from "../../src/facts/rows.ts"
import { asStarted, transactionUpdated } from "../../src/facts/running.ts"
import { meterValue, meterValues, minute, start, stop } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"

/** One charging session as the charge point remembers it; instants are minutes. */
interface Session {
  connectorId: number
  startedAt: number
  meterStart: number
  readings: { at: number; wh: number }[]
  stop: { at: number; wh: number } | null
}

type Message = { session: number } & ({ kind: "start" | "stop" } | { kind: "reading"; reading: number })

const wh = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(0, 10, 1000, 1005, 2000, 2500))

const sessions: fc.Arbitrary<Session[]> = fc
  .array(
    fc.record({
      connectorId: fc.constantFrom(1, 2),
      length: fc.integer({ min: 2, max: 20 }),
      meterStart: wh,
      readings: fc.array(fc.record({ after: fc.integer({ min: -1, max: 25 }), wh }), { maxLength: 6 }),
      stop: fc.option(fc.record({ after: fc.integer({ min: 0, max: 20 }), wh }), { nil: null }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drafts) => {
    let startedAt = 0
    return drafts.map(({ length, readings, stop, ...draft }) => {
      startedAt += length
      const begin = startedAt
      return {
        ...draft,
        startedAt: begin,
        readings: readings.map(({ after, wh }) => ({ at: begin + after, wh })),
        stop: stop && { at: begin + stop.after, wh: stop.wh },
      }
    })
  })

const messagesOf = (story: Session[]): Message[] =>
  story.flatMap((session, index): Message[] => [
    { session: index, kind: "start" },
    ...session.readings.map((_, reading): Message => ({ session: index, kind: "reading", reading })),
    ...(session.stop ? [{ session: index, kind: "stop" } as const] : []),
  ])

/** Delivers messages in this order, but none that names a transactionId before that was given. `look` is called after each. */
async function deliver(story: Session[], messages: Message[], look: (facts: MemoryFacts) => void = () => undefined) {
  const facts = new MemoryFacts()
  const ids = new Map<number, number>()
  let waiting = messages
  while (waiting.length > 0) {
    const left: Message[] = []
    for (const message of waiting) {
      const session = story[message.session]!
      const { connectorId, meterStart } = session
      const transactionId = ids.get(message.session)
      if (message.kind === "start") {
        const request = { connectorId, meterStart, timestamp: new Date(minute(session.startedAt)).toISOString() }
        const outcome = await facts.change("startTransaction", start(request))
        expect(outcome.transactionId).toBe(transactionId ?? outcome.transactionId)
        ids.set(message.session, outcome.transactionId)
      } else if (transactionId === undefined) {
        left.push(message)
      } else if (message.kind === "reading") {
        const { at, wh } = session.readings[message.reading]!
        await facts.change("reportMeterValues", meterValues({ connectorId, transactionId }, [meterValue(at, wh)]))
      } else if (session.stop) {
        const timestamp = new Date(minute(session.stop.at)).toISOString()
        await facts.change("stopTransaction", stop({ transactionId, timestamp, meterStop: session.stop.wh }))
      }
      look(facts)
    }
    waiting = left
  }
  return facts
}

const outcomeOf = (facts: MemoryFacts) =>
  facts
    .rows("transactions")
    .map(({ transactionId: _, ...row }) => row)
    .sort((one, other) => (one.startKey < other.startKey ? -1 : 1))

/** Sessions, and their messages in some order and some of them again. */
const backlogs = sessions.chain((story) => {
  const messages = messagesOf(story)
  const order = fc
    .array(fc.constantFrom(...messages), { maxLength: 8 })
    .chain((again) => fc.shuffledSubarray([...messages, ...again], { minLength: messages.length + again.length }))
  return fc.tuple(fc.constant(story), order)
})

test("a backlog ends the same whatever the order and however often each message comes", async () => {
  await fc.assert(
    fc.asyncProperty(backlogs, async ([story, order]) => {
      const inOrder = await deliver(story, messagesOf(story))
      const shuffled = await deliver(story, order)
      expect(outcomeOf(shuffled)).toEqual(outcomeOf(inOrder))
      expect(shuffled.rows("meterValues").length).toBe(inOrder.rows("meterValues").length)
      expect(shuffled.rows("strayMessages")).toHaveLength(inOrder.rows("strayMessages").length)
    }),
    { numRuns: 400 },
  )
}, 60_000)

test("a running transaction is known as of each event from its row of any later time and the energy told", async () => {
  await fc.assert(
    fc.asyncProperty(backlogs, async ([story, order]) => {
      const told: { event: Event; row: TransactionRow }[] = []
      let seen = 0
      const facts = await deliver(story, order, (now) => {
        for (const event of now.events.slice(seen)) {
          if (event.type !== "MeterValues" || event.energy === undefined) continue
          told.push({ event: { ...event, version: 1 }, row: transactionOf(now, event.transactionId) })
        }
        seen = now.events.length
      })
      for (const { event, row } of told) {
        const later = transactionOf(facts, row.transactionId)
        const { organisationId, subject, at } = event
        const common = { organisationId, subject, version: 1, at }
        const change = { type: "Transaction", kind: "Updated", transaction: row, ...common }
        expect(transactionUpdated(event, asStarted(later))).toEqual(change as Event)
        expect(row.state).toBe("Active")
      }
    }),
    { numRuns: 200 },
  )
}, 60_000)

function transactionOf(facts: MemoryFacts, transactionId: number | null): TransactionRow {
  const row = facts.rows("transactions").find((one) => one.transactionId === transactionId)
  if (row === undefined) throw new Error(`there is no transaction ${transactionId}`)
  return row
}
