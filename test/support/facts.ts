/**
 * The facts in memory, for tests of the rules alone: the same units of work, over maps. It is strict where a store may be
 * lenient: what a rule did not load, it does not get. The store's contract suite proves the real one.
 */
import type { ChangeName, ChangeOf, InputOf, OutcomeOf } from "../../src/facts/catalogue.ts"
import { changes } from "../../src/facts/changes/index.ts"
import { isUnderWay } from "../../src/facts/campaigns.ts"
import type { Event, EventBody } from "../../src/facts/events.ts"
import {
  type CampaignEntryKey,
  type Facts,
  type FirmwareCampaignChargePoints,
  type FirmwareCampaigns,
  LATEST_LIMIT,
  type MeterValueKey,
  type MeterValues,
  NotLoaded,
  type Reservations,
  type Rows,
  type Transactions,
} from "../../src/facts/facts.ts"
import { compareInQueue } from "../../src/facts/queue.ts"
import type {
  ApiTokenRow,
  ChargePointRow,
  ChargingProfileRow,
  CommandRow,
  ConfigurationKeyRow,
  ConnectorRow,
  DeletedChargePointRow,
  DiagnosticsRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  IdTagRow,
  LocalListRow,
  MeterValueRow,
  OrganisationRow,
  ReportRow,
  SealedRequestRow,
  ReservationRow,
  StrayMessageRow,
  TransactionRow,
} from "../../src/facts/rows.ts"

import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../../src/facts/rows-of-campaigns.ts"

/** An event as a rule told it. */
export type Told = EventBody & Omit<Event, "version" | keyof EventBody>

const keyText = (...parts: (string | number)[]) => parts.join("\0")

/** What has been committed. */
const emptyTables = () => ({
  organisations: new Map<string, OrganisationRow>(),
  chargePoints: new Map<string, ChargePointRow>(),
  connectors: new Map<string, ConnectorRow>(),
  transactions: new Map<string, TransactionRow>(),
  meterValues: new Map<string, MeterValueRow>(),
  idTags: new Map<string, IdTagRow>(),
  commands: new Map<string, CommandRow>(),
  sealedRequests: new Map<string, SealedRequestRow>(),
  configurationKeys: new Map<string, ConfigurationKeyRow>(),
  deletedChargePoints: new Map<string, DeletedChargePointRow>(),
  localLists: new Map<string, LocalListRow>(),
  chargingProfiles: new Map<string, ChargingProfileRow>(),
  firmwareImages: new Map<string, FirmwareImageRow>(),
  firmwareUpdates: new Map<string, FirmwareUpdateRow>(),
  diagnostics: new Map<string, DiagnosticsRow>(),
  firmwareCampaigns: new Map<string, FirmwareCampaignRow>(),
  firmwareCampaignChargePoints: new Map<string, FirmwareCampaignChargePointRow>(),
  reservations: new Map<string, ReservationRow>(),
  reports: new Map<string, ReportRow>(),
  strayMessages: new Map<string, StrayMessageRow>(),
  apiTokens: new Map<string, ApiTokenRow>(),
  events: [] as Told[],
  lastTransactionId: { value: 0 },
  lastReservationId: { value: 0 },
})
type Tables = ReturnType<typeof emptyTables>

type TableName = Exclude<keyof Tables, "events" | "lastTransactionId" | "lastReservationId">
type RowOf<Name extends TableName> = Tables[Name] extends Map<string, infer Row> ? Row : never

/** Which questions a unit of work has loaded the answers to. */
class Loaded {
  readonly #questions = new Set<string>()

  async note(question: string, keys: readonly string[]) {
    for (const key of keys) this.#questions.add(keyText(question, key))
  }

  demand(question: string, key: string) {
    if (!this.#questions.has(keyText(question, key))) throw new NotLoaded(`${question} ${key.replaceAll("\0", ", ")}`)
  }
}

class MemoryRows<Row, Key> implements Rows<Row, Key> {
  protected readonly loaded = new Loaded()
  readonly #rows: Map<string, Row>
  readonly #textOf: (key: Key) => string
  readonly #textOfRow: (row: Row) => string

  constructor(rows: Map<string, Row>, textOf: (key: Key) => string, textOfRow: (row: Row) => string) {
    this.#rows = rows
    this.#textOf = textOf
    this.#textOfRow = textOfRow
  }

  load(keys: readonly Key[]) {
    return this.loaded.note("row", keys.map(this.#textOf))
  }

  get(key: Key) {
    const row = this.#rows.get(this.#textOf(key))
    if (!row) this.loaded.demand("row", this.#textOf(key))
    return row
  }

  put(row: Row) {
    this.#rows.set(this.#textOfRow(row), row)
  }

  delete(key: Key) {
    this.#rows.delete(this.#textOf(key))
  }

  protected where(matches: (row: Row) => boolean): Row[] {
    return [...this.#rows.values()].filter(matches)
  }
}

class MemoryRowsOfChargePoint<Row extends { chargePointId: string }, Key> extends MemoryRows<Row, Key> {
  loadOf(chargePointIds: readonly string[]) {
    return this.loaded.note("of", chargePointIds)
  }

  of(chargePointId: string) {
    this.loaded.demand("of", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId)
  }
}

type Transfer = { id: string; chargePointId: string; requestedAt: number; state: string }

class MemoryTransfers<Row extends Transfer> extends MemoryRows<Row, string> {
  loadLatestOf(chargePointIds: readonly string[]) {
    return this.loaded.note("latest", chargePointIds)
  }

  latestOf(chargePointId: string) {
    this.loaded.demand("latest", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId && row.state !== "Failed")
      .sort((one, other) => other.requestedAt - one.requestedAt)
      .slice(0, LATEST_LIMIT)
  }
}

class MemoryChargePoints extends MemoryRows<ChargePointRow, string> {
  loadByIdentity(identities: readonly string[]) {
    return this.loaded.note("identity", identities)
  }

  byIdentity(identity: string) {
    this.loaded.demand("identity", identity)
    return this.where((row) => row.identity === identity)[0]
  }
}

class MemoryCommands extends MemoryRows<CommandRow, string> {
  loadByIdempotencyKey(keys: readonly { organisationId: string; idempotencyKey: string }[]) {
    return this.loaded.note(
      "idempotencyKey",
      keys.map((key) => keyText(key.organisationId, key.idempotencyKey)),
    )
  }

  byIdempotencyKey(organisationId: string, idempotencyKey: string) {
    this.loaded.demand("idempotencyKey", keyText(organisationId, idempotencyKey))
    return this.where((row) => row.organisationId === organisationId && row.idempotencyKey === idempotencyKey)[0]
  }

  loadQueued(chargePointIds: readonly string[]) {
    return this.loaded.note("queued", chargePointIds)
  }

  queued(chargePointId: string) {
    this.loaded.demand("queued", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId && row.state === "Queued").sort(compareInQueue)
  }

  loadLastSent(chargePointIds: readonly string[]) {
    return this.loaded.note("last sent", chargePointIds)
  }

  lastSent(chargePointId: string) {
    this.loaded.demand("last sent", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId && row.expiresAt !== null && row.sentAt !== null)
      .sort(compareInQueue)
      .at(-1)
  }
}

class MemoryCampaigns extends MemoryRows<FirmwareCampaignRow, string> implements FirmwareCampaigns {
  loadByIdempotencyKey(keys: readonly { organisationId: string; idempotencyKey: string }[]) {
    return this.loaded.note(
      "idempotencyKey",
      keys.map((key) => keyText(key.organisationId, key.idempotencyKey)),
    )
  }

  byIdempotencyKey(organisationId: string, idempotencyKey: string) {
    this.loaded.demand("idempotencyKey", keyText(organisationId, idempotencyKey))
    return this.where((row) => row.organisationId === organisationId && row.idempotencyKey === idempotencyKey)[0]
  }
}

class MemoryCampaignChargePoints
  extends MemoryRows<FirmwareCampaignChargePointRow, CampaignEntryKey>
  implements FirmwareCampaignChargePoints
{
  loadPending(campaignIds: readonly string[]) {
    return this.loaded.note("pending", campaignIds)
  }

  pending(campaignId: string) {
    this.loaded.demand("pending", campaignId)
    return this.where((row) => row.campaignId === campaignId && row.state === "Pending")
  }

  loadUnderWay(chargePointIds: readonly string[]) {
    return this.loaded.note("underWay", chargePointIds)
  }

  underWay(chargePointId: string) {
    this.loaded.demand("underWay", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId && isUnderWay(row.state))
  }
}

class MemoryReservations extends MemoryRows<ReservationRow, string> implements Reservations {
  readonly #lastId: { value: number }
  #drawn = 0

  constructor({ reservations, lastReservationId }: Tables) {
    super(reservations, String, (row) => row.id)
    this.#lastId = lastReservationId
  }

  loadOpen(chargePointIds: readonly string[]) {
    return this.loaded.note("open", chargePointIds)
  }

  open(chargePointId: string) {
    this.loaded.demand("open", chargePointId)
    return this.#inOrder(
      (row) => row.chargePointId === chargePointId && (row.state === "Requested" || row.state === "Active"),
    )
  }

  loadByNumber(keys: Parameters<Reservations["loadByNumber"]>[0]) {
    return this.loaded.note(
      "number",
      keys.map((key) => keyText(key.chargePointId, key.reservationId)),
    )
  }

  byNumber({ chargePointId, reservationId }: Parameters<Reservations["byNumber"]>[0]) {
    this.loaded.demand("number", keyText(chargePointId, reservationId))
    return this.#inOrder((row) => row.chargePointId === chargePointId && row.reservationId === reservationId)
  }

  async drawIds(count: number) {
    this.#drawn += count
  }

  nextId() {
    if (this.#drawn-- <= 0) throw new Error("more reservationIds were used than drawn")
    return ++this.#lastId.value
  }

  #inOrder(wanted: (row: ReservationRow) => boolean) {
    return this.where(wanted).sort((one, other) => one.requestedAt - other.requestedAt || (one.id < other.id ? -1 : 1))
  }
}

class MemoryTransactions extends MemoryRows<TransactionRow, number> implements Transactions {
  readonly #lastId: { value: number }

  constructor({ transactions, lastTransactionId }: Tables) {
    super(transactions, String, (row) => String(row.transactionId))
    this.#lastId = lastTransactionId
  }

  loadByStartKey(keys: Parameters<Transactions["loadByStartKey"]>[0]) {
    return this.loaded.note(
      "startKey",
      keys.map((key) => keyText(key.chargePointId, key.startKey)),
    )
  }

  byStartKey({ chargePointId, startKey }: Parameters<Transactions["byStartKey"]>[0]) {
    this.loaded.demand("startKey", keyText(chargePointId, startKey))
    return this.where((row) => row.chargePointId === chargePointId && row.startKey === startKey)[0]
  }

  loadUnended(chargePointIds: readonly string[]) {
    return this.loaded.note("unended", chargePointIds)
  }

  unended(chargePointId: string) {
    this.loaded.demand("unended", chargePointId)
    return this.where((row) => row.chargePointId === chargePointId && row.state !== "Ended").sort(
      (one, other) => one.startedAt - other.startedAt || one.transactionId - other.transactionId,
    )
  }

  loadNextStarts(keys: Parameters<Transactions["loadNextStarts"]>[0]) {
    return this.loaded.note(
      "next",
      keys.map((key) => keyText(key.chargePointId, key.connectorId, key.startedAt)),
    )
  }

  nextStart({ chargePointId, connectorId, startedAt }: Parameters<Transactions["nextStart"]>[0]) {
    this.loaded.demand("next", keyText(chargePointId, connectorId, startedAt))
    return this.where((row) => row.chargePointId === chargePointId && row.connectorId === connectorId)
      .map((row) => row.startedAt)
      .filter((at) => at > startedAt)
      .sort((one, other) => one - other)[0]
  }

  loadStoppedAt(keys: Parameters<Transactions["loadStoppedAt"]>[0]) {
    return this.loaded.note(
      "stopped",
      keys.map((key) => keyText(key.chargePointId, key.stoppedAt)),
    )
  }

  stoppedAt({ chargePointId, stoppedAt }: Parameters<Transactions["stoppedAt"]>[0]) {
    this.loaded.demand("stopped", keyText(chargePointId, stoppedAt))
    return this.where(
      (row) => row.chargePointId === chargePointId && row.state === "Ended" && row.stoppedAt === stoppedAt,
    )
  }

  loadActiveCounts(keys: Parameters<Transactions["loadActiveCounts"]>[0]) {
    return this.loaded.note(
      "active",
      keys.map((key) => keyText(key.organisationId, key.idTagKey)),
    )
  }

  activeCount({ organisationId, idTagKey }: Parameters<Transactions["activeCount"]>[0]) {
    this.loaded.demand("active", keyText(organisationId, idTagKey))
    return this.where(
      (row) => row.organisationId === organisationId && row.idTagKey === idTagKey && row.state === "Active",
    ).length
  }

  nextId() {
    this.#lastId.value++
    return this.#lastId.value
  }
}

const meterValueText = (key: MeterValueKey) => keyText(key.chargePointId, key.at, key.connectorId, key.digest)

class MemoryMeterValues implements MeterValues {
  readonly #loaded = new Loaded()
  readonly #rows: Map<string, MeterValueRow>
  readonly #added = new Set<string>()
  readonly #firstOwnId: number

  constructor({ meterValues, lastTransactionId }: Tables) {
    this.#rows = meterValues
    this.#firstOwnId = lastTransactionId.value + 1
  }

  add(row: MeterValueRow) {
    const text = meterValueText(row)
    if (this.#rows.has(text)) return
    this.#rows.set(text, row)
    this.#added.add(text)
  }

  loadKnown(keys: readonly MeterValueKey[]) {
    return this.#loaded.note("known", keys.map(meterValueText))
  }

  isKnown(key: MeterValueKey) {
    const text = meterValueText(key)
    if (!this.#added.has(text)) this.#loaded.demand("known", text)
    return this.#rows.has(text)
  }

  loadOf(transactionIds: readonly number[]) {
    return this.#loaded.note("of", transactionIds.map(String))
  }

  of(transactionId: number) {
    if (transactionId < this.#firstOwnId) this.#loaded.demand("of", String(transactionId))
    return [...this.#rows.values()]
      .filter((row) => row.transactionId === transactionId)
      .sort((one, other) => one.at - other.at)
  }
}

const additionsTo = <Row extends { id: string }>(rows: Map<string, Row>) => ({
  add(row: Row) {
    if (!rows.has(row.id)) rows.set(row.id, row)
  },
})

const byId = <Row extends { id: string }>(rows: Map<string, Row>) =>
  new MemoryRows<Row, string>(rows, String, (row) => row.id)

/** One unit of work over these tables. */
const factsOver = (tables: Tables): Facts => {
  const connectorText = (key: { chargePointId: string; connectorId: number }) =>
    keyText(key.chargePointId, key.connectorId)
  const idTagText = (key: { organisationId: string; idTagKey: string }) => keyText(key.organisationId, key.idTagKey)
  const campaignText = (key: CampaignEntryKey) => keyText(key.campaignId, key.chargePointId)
  const configurationText = (key: { chargePointId: string; key: string }) => keyText(key.chargePointId, key.key)
  return {
    organisations: byId(tables.organisations),
    chargePoints: new MemoryChargePoints(tables.chargePoints, String, (row) => row.id),
    connectors: new MemoryRowsOfChargePoint(tables.connectors, connectorText, connectorText),
    transactions: new MemoryTransactions(tables),
    meterValues: new MemoryMeterValues(tables),
    idTags: new MemoryRows(tables.idTags, idTagText, idTagText),
    commands: new MemoryCommands(tables.commands, String, (row) => row.id),
    sealedRequests: new MemoryRows(tables.sealedRequests, String, (row) => row.commandId),
    configurationKeys: new MemoryRowsOfChargePoint(tables.configurationKeys, configurationText, configurationText),
    deletedChargePoints: additionsTo(tables.deletedChargePoints),
    chargingProfiles: new MemoryRowsOfChargePoint<ChargingProfileRow, string>(
      tables.chargingProfiles,
      String,
      (row) => row.commandId,
    ),
    localLists: new MemoryRows<LocalListRow, string>(tables.localLists, String, (row) => row.chargePointId),
    firmwareImages: byId(tables.firmwareImages),
    firmwareUpdates: new MemoryTransfers(tables.firmwareUpdates, String, (row) => row.id),
    diagnostics: new MemoryTransfers(tables.diagnostics, String, (row) => row.id),
    firmwareCampaigns: new MemoryCampaigns(tables.firmwareCampaigns, String, (row) => row.id),
    firmwareCampaignChargePoints: new MemoryCampaignChargePoints(
      tables.firmwareCampaignChargePoints,
      campaignText,
      campaignText,
    ),
    reservations: new MemoryReservations(tables),
    reports: additionsTo(tables.reports),
    strayMessages: additionsTo(tables.strayMessages),
    apiTokens: byId(tables.apiTokens),
    tell: (organisationId, subject, at, body) => void tables.events.push({ ...body, organisationId, subject, at }),
  }
}

/** Inputs of one kind that arrive together. */
interface Batch {
  load(facts: Facts): Promise<void>
  applies: ((facts: Facts) => unknown)[]
}

/** Gathers inputs of one kind for `MemoryFacts.group`. */
export function together<Name extends ChangeName>(name: Name, ...inputs: InputOf<Name>[]): Batch {
  const rules: { [Each in ChangeName]: ChangeOf<Each> } = changes
  const rule: ChangeOf<Name> = rules[name]
  return {
    load: (facts) => rule.load(facts, inputs),
    applies: inputs.map((input) => (facts) => rule.apply(facts, input)),
  }
}

/** All facts of a test, changed by the real rules. */
export class MemoryFacts {
  #tables = emptyTables()

  get events(): readonly Told[] {
    return this.#tables.events
  }

  /** The rows of a table, in the order in which they first came. */
  rows<Name extends TableName>(name: Name): RowOf<Name>[] {
    const tables: { [Each in TableName]: Map<string, RowOf<Each>> } = this.#tables
    return [...tables[name].values()]
  }

  /** Puts rows there without a rule. */
  given({ chargePoints = [], idTags = [] }: { chargePoints?: ChargePointRow[]; idTags?: IdTagRow[] }) {
    for (const row of chargePoints) this.#tables.chargePoints.set(row.id, row)
    for (const row of idTags) this.#tables.idTags.set(keyText(row.organisationId, row.idTagKey), row)
  }

  /** One change in a unit of work of its own. */
  async change<Name extends ChangeName>(name: Name, input: InputOf<Name>): Promise<OutcomeOf<Name>> {
    const rules: { [Each in ChangeName]: ChangeOf<Each> } = changes
    const rule: ChangeOf<Name> = rules[name]
    return this.#commit(async (facts) => {
      await rule.load(facts, [input])
      return rule.apply(facts, input)
    })
  }

  /** Changes of several kinds in one unit of work; if that fails, each in one of its own. */
  async group(...batches: Batch[]): Promise<unknown[]> {
    try {
      return await this.#commit(async (facts) => {
        for (const batch of batches) await batch.load(facts)
        return batches.flatMap(({ applies }) => applies.map((apply) => apply(facts)))
      })
    } catch (cause) {
      if (!(cause instanceof NotLoaded)) throw cause
    }
    const outcomes: unknown[] = []
    for (const { load, applies } of batches) {
      for (const apply of applies)
        outcomes.push(await this.#commit(async (facts) => load(facts).then(() => apply(facts))))
    }
    return outcomes
  }

  async #commit<Outcome>(work: (facts: Facts) => Promise<Outcome>): Promise<Outcome> {
    const tables = structuredClone(this.#tables)
    const outcome = await work(factsOver(tables))
    this.#tables = tables
    return outcome
  }
}
