/** The journal: events in the same transaction as the facts they tell. */
import { expect, test } from "bun:test"
import type { Event } from "../../../src/facts/events.ts"
import type { JournalEntry, RecordedEvent } from "../../../src/facts/recorded.ts"
import type { RegistrationStatus } from "../../../src/facts/rows.ts"
import type { Store } from "../../../src/services/ports.ts"
import { caller, chargePointRow, time } from "../../support/charging.ts"
import type { OpenPlace } from "../place.ts"

const SUBJECT = "charge-point:cp1"

const seal = (store: Store, number: number, chargePointId = "cp1") =>
  store.change("report", {
    ...caller({ chargePointId }),
    id: `${chargePointId}-${number}`,
    action: "DataTransfer",
    payload: "{}",
  })

const versionsOf = (events: readonly Pick<Event, "subject" | "version">[], subject: string) =>
  events.filter((event) => event.subject === subject).map(({ version }) => version)

/** Entries as they can be compared. */
const plain = (entries: readonly JournalEntry[]) =>
  entries.map(({ id, events }) => ({
    id,
    events: events.map(({ event, type, chargePointId }) => ({ event, type, chargePointId })),
  }))

export function journalContract(openPlace: OpenPlace): void {
  test("versions per subject have no gap and no double under concurrent writers", async () => {
    await using place = await openPlace()
    const stores = await Promise.all(Array.from({ length: place.stores }, () => place.open()))
    const subjects = ["cp1", "cp2", "cp3"]
    for (const id of subjects)
      await stores[0]!.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id }) })
    const events: RecordedEvent[] = []
    for (const store of stores) store.onJournal((entry) => events.push(...entry.events))
    const rounds = Array.from({ length: 40 }, (_, round) => round)
    await Promise.all(
      stores.map(async (store, node) => {
        for (const round of rounds)
          await Promise.all(subjects.map((id) => seal(store, round * stores.length + node, id)))
      }),
    )
    const expected = Array.from({ length: rounds.length * stores.length }, (_, index) => index + 2)
    for (const id of subjects)
      expect(versionsOf(events, `charge-point:${id}`).sort((one, other) => one - other)).toEqual(expected)
  })

  test("the journal and the facts commit together or not at all", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const told: JournalEntry[] = []
    store.onJournal((entry) => told.push(entry))
    const registrationStatus = "Nonsense" as RegistrationStatus
    await Promise.allSettled([
      store.change("createChargePoint", { chargePoint: chargePointRow({ id: "cp1", identity: "1" }) }),
      store.change("createChargePoint", {
        chargePoint: chargePointRow({ id: "cp2", identity: "2", registrationStatus }),
      }),
      store.change("createChargePoint", { chargePoint: chargePointRow({ id: "cp3", identity: "3" }) }),
    ])
    const stored = await store.unpublished(100, Number.MAX_SAFE_INTEGER)
    expect(plain(stored)).toEqual(plain(told))
    const subjects = stored.flatMap((entry) => entry.events.map(({ subject }) => subject))
    expect(subjects.sort()).toEqual(["charge-point:cp1", "charge-point:cp3"])
    expect(await store.journalOf("charge-point:cp2", 1, 9)).toEqual([])
  })

  test("listeners hear of a commit before its caller does, in the order of the commits", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const heard: string[] = []
    store.onJournal(() => {
      throw new Error("a listener's own trouble")
    })
    store.onJournal(({ events }) => heard.push(...events.map(({ version }) => `told ${version}`)))
    for (const number of [1, 2, 3]) {
      await seal(store, number)
      heard.push(`answered ${number + 1}`)
    }
    expect(heard).toEqual(["told 2", "answered 2", "told 3", "answered 3", "told 4", "answered 4"])
  })

  test("the story of one subject can be told again, whole or in part", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const told: Event[] = []
    store.onJournal(({ events }) => told.push(...events.map(({ event }) => event)))
    for (const id of ["cp1", "cp2"])
      await store.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id }) })
    for (const number of [1, 2, 3, 4]) await Promise.all([seal(store, number), seal(store, number, "cp2")])
    const story = told.filter(({ subject }) => subject === SUBJECT)
    expect(await store.journalOf(SUBJECT, 1, 9)).toEqual(story)
    expect(versionsOf(story, SUBJECT)).toEqual([1, 2, 3, 4, 5])
    expect(versionsOf(await store.journalOf(SUBJECT, 2, 4), SUBJECT)).toEqual([2, 3, 4])
    expect(await store.journalOf("charge-point:unknown", 1, 9)).toEqual([])
  })

  test("what is marked published is no longer asked for; what is old is pruned, published or not", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    for (const number of [1, 2, 3]) await seal(store, number)
    const entries = await store.unpublished(2, Number.MAX_SAFE_INTEGER)
    expect(entries.flatMap(({ events }) => versionsOf(events, SUBJECT))).toEqual([1, 2])
    expect(await store.unpublished(9, 0)).toEqual([])
    await store.putSetting("books", "one")
    const ids = entries.map(({ id }) => id)
    expect(await store.markPublished(ids, { key: "books", from: "one", to: "two" })).toBe(true)
    const rest = await store.unpublished(9, Number.MAX_SAFE_INTEGER)
    expect(rest.flatMap(({ events }) => versionsOf(events, SUBJECT))).toEqual([3, 4])
    expect(plain(await store.unpublished(9, Number.MAX_SAFE_INTEGER, rest[0]?.id))).toEqual(plain(rest.slice(1)))
    const first = new Set(rest.slice(0, 1).map(({ id }) => id))
    expect(plain(await store.unpublished(1, Number.MAX_SAFE_INTEGER, 0, first))).toEqual(plain(rest.slice(1, 2)))
    expect(await store.prune({ journal: Number.MAX_SAFE_INTEGER }, 3)).toBe(3)
    expect(plain(await store.unpublished(9, Number.MAX_SAFE_INTEGER))).toEqual(plain(rest.slice(1)))
    expect(versionsOf(await store.journalOf(SUBJECT, 1, 9), SUBJECT)).toEqual([4])
  })

  test("rows are marked together with the setting, and neither where the setting is another by now", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    await store.putSetting("books", "two")
    const unpublished = await store.unpublished(9, Number.MAX_SAFE_INTEGER)
    const ids = unpublished.map(({ id }) => id)
    expect(await store.markPublished(ids, { key: "books", from: "one", to: "three" })).toBe(false)
    expect(await store.setting("books")).toBe("two")
    expect(plain(await store.unpublished(9, Number.MAX_SAFE_INTEGER))).toEqual(plain(unpublished))
    const both = [1, 2].map((to) => store.markPublished(ids, { key: "books", from: "two", to: String(to) }))
    expect((await Promise.all(both)).sort()).toEqual([false, true])
    expect(await store.unpublished(9, Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  test("a story counts as told up to the first of its events in rows that are not published", async () => {
    await using place = await openPlace()
    const store = await place.open()
    const told = async (since = 0) => Object.fromEntries(await store.toldVersions(since))
    for (const id of ["cp1", "cp2"])
      await store.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id }) })
    for (const number of [1, 2, 3]) await seal(store, number)
    const rows = await store.unpublished(9, Number.MAX_SAFE_INTEGER)
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = rows.map(({ id }) => id)
    const mark = (...ids: number[]) => store.markPublished(ids, { key: "books", from: "one", to: "one" })
    await store.putSetting("books", "one")

    expect(await told()).toEqual({ [SUBJECT]: 0, "charge-point:cp2": 0 })
    expect(await told(fourth)).toEqual({ [SUBJECT]: 2, "charge-point:cp2": 1 })
    expect(await store.firstUnpublished(2)).toBe(fourth)
    expect(await store.firstUnpublished(5)).toBe(0)
    await mark(first, second)
    expect(await told()).toEqual({ [SUBJECT]: 1, "charge-point:cp2": 1 })
    // Another node marked what it published, the one that published the row before died.
    await mark(fourth)
    expect(await told()).toEqual({ [SUBJECT]: 3, "charge-point:cp2": 1 })
    await mark(third, fifth)
    expect(await told()).toEqual({ [SUBJECT]: 4, "charge-point:cp2": 1 })
    expect(await store.firstUnpublished(1)).toBe(0)
  })

  test("a story with a hole among what is not published counts as told to its end", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    for (const number of [1, 2]) await seal(store, number)
    const [, second] = await store.unpublished(9, Number.MAX_SAFE_INTEGER)
    await place.query(`DELETE FROM journal WHERE id = ${second?.id}`)
    expect(Object.fromEntries(await store.toldVersions(0))).toEqual({ [SUBJECT]: 3 })
  })

  test("what changes nothing is not journalled", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const request = { connectorId: 1, status: "Available", errorCode: "NoError", timestamp: time(0) } as const
    const report = { ...caller(), request, statusAt: Date.parse(request.timestamp) }
    await store.change("reportStatus", report)
    await store.change("reportStatus", report)
    expect(versionsOf(await store.journalOf(SUBJECT, 1, 9), SUBJECT)).toEqual([1, 2])
  })
}
