/** The unit of work: the facts of one commit group, as rules see them, over an open SQL transaction. */
import {
  type ConnectorKey,
  type Facts,
  type IdTagKey,
  LATEST_LIMIT,
  type Rows,
  type Transfers,
} from "../../facts/facts.ts"
import type { Event, EventBody } from "../../facts/events.ts"
import { compareInQueue } from "../../facts/queue.ts"
import { type JournalEntry, record, type RecordedEvent, writeTexts } from "../../facts/recorded.ts"
import type { ConfigurationKeyRow, ConnectorRow } from "../../facts/rows.ts"
import type { Session } from "../session.ts"
import { selectBy, selectLastBy } from "../statements.ts"
import {
  apiTokens,
  chargePoints,
  chargingProfiles,
  commands,
  configurationKeys,
  connectors,
  deletedChargePoints,
  diagnostics,
  encodeValue,
  firmwareCampaigns,
  firmwareImages,
  firmwareUpdates,
  idTags,
  localLists,
  organisations,
  reports,
  sealedRequests,
  strayMessages,
  SUBJECTS,
  type SubjectRow,
  type Table,
} from "../tables.ts"
import { LoadedCampaignChargePoints } from "./campaigns.ts"
import { LoadedMeterValues } from "./meter-values.ts"
import { LoadedReservations } from "./reservations.ts"
import { AddedRows, addTo, type Gathering, LoadedRows, type Work, workOn } from "./rows.ts"
import { issueTelling } from "./telling.ts"
import { LoadedTransactions } from "./transactions.ts"

interface ConfigurationKeyKey {
  chargePointId: string
  key: string
}

/** Stands for an event's version until that is known. */
const NO_VERSION = 0

const byId = <Row>(table: Table<Row>): Work<Row, string> => workOn(table, (id: string) => [encodeValue(id)])

const onOrganisations = byId(organisations)
const onChargePoints = byId(chargePoints)
const onCommands = byId(commands)
const onSealedRequests = workOn(sealedRequests, (commandId: string) => [encodeValue(commandId)])
const onApiTokens = byId(apiTokens)
const onLocalLists = byId(localLists)
const onChargingProfiles = workOn(chargingProfiles, (commandId: string) => [encodeValue(commandId)])
const onFirmwareImages = byId(firmwareImages)
const onFirmwareUpdates = byId(firmwareUpdates)
const onDiagnostics = byId(diagnostics)
const onFirmwareCampaigns = byId(firmwareCampaigns)
const onConnectors = workOn(connectors, (key: ConnectorKey) => [encodeValue(key.chargePointId), key.connectorId])
const onIdTags = workOn(idTags, (key: IdTagKey) => [encodeValue(key.organisationId), encodeValue(key.idTagKey)])
const onConfigurationKeys = workOn(configurationKeys, ({ chargePointId, key }: ConfigurationKeyKey) => [
  encodeValue(chargePointId),
  encodeValue(key),
])
const toDeletedChargePoints = addTo(deletedChargePoints)
const toReports = addTo(reports)
const toStrayMessages = addTo(strayMessages)
const chargePointsByIdentity = selectBy(chargePoints, ["identity"])
const connectorsOf = selectBy(connectors, ["chargePointId"])
const profilesOf = selectBy(chargingProfiles, ["chargePointId"])
const configurationOf = selectBy(configurationKeys, ["chargePointId"])
const latestFirst = ["requestedAt", "id"] as const
const NOT_FAILED = "t.state <> 'Failed'"
const latestUpdates = selectLastBy(firmwareUpdates, ["chargePointId"], NOT_FAILED, latestFirst, LATEST_LIMIT)
const latestDiagnostics = selectLastBy(diagnostics, ["chargePointId"], NOT_FAILED, latestFirst, LATEST_LIMIT)
const campaignsByIdempotencyKey = selectBy(firmwareCampaigns, ["organisationId", "idempotencyKey"])
const commandsByIdempotencyKey = selectBy(commands, ["organisationId", "idempotencyKey"])
const queuedCommands = selectBy(commands, ["chargePointId"], "t.state = 'Queued'")
const lastSentCommand = selectLastBy(
  commands,
  ["chargePointId"],
  "t.expires_at IS NOT NULL AND t.sent_at IS NOT NULL",
  ["requestedAt", "id"],
  1,
)

/** Adds `loadOf` and `of` by charge point to a table's rows. */
function ofChargePoints<Row extends object, Key>(rows: LoadedRows<Row, Key>, gathered: Gathering<Row>) {
  return Object.assign(rows, {
    loadOf: (chargePointIds: readonly string[]) => gathered.load(chargePointIds.map((id) => [id])),
    of: (chargePointId: string): Readonly<Row>[] => gathered.of([chargePointId]),
  }) satisfies Rows<Row, Key>
}

/** Adds `loadByIdempotencyKey` and `byIdempotencyKey` to a table's rows. */
function byIdempotencyKeys<Row extends object, Key>(rows: LoadedRows<Row, Key>, gathered: Gathering<Row>) {
  return Object.assign(rows, {
    loadByIdempotencyKey: (keys: readonly { organisationId: string; idempotencyKey: string }[]) =>
      gathered.load(keys.map((key) => [encodeValue(key.organisationId), encodeValue(key.idempotencyKey)])),
    byIdempotencyKey: (organisationId: string, idempotencyKey: string): Readonly<Row> | undefined =>
      gathered.of([encodeValue(organisationId), encodeValue(idempotencyKey)])[0],
  })
}

/** Adds `loadLatestOf` and `latestOf` to transfers. */
function latestOfChargePoints<Row extends { requestedAt: number }>(
  rows: LoadedRows<Row, string>,
  gathered: Gathering<Row>,
): LoadedRows<Row, string> & Transfers<Row> {
  return Object.assign(rows, {
    loadLatestOf: (chargePointIds: readonly string[]) => gathered.load(chargePointIds.map((id) => [id])),
    latestOf: (chargePointId: string) =>
      gathered.of([chargePointId]).sort((one, other) => other.requestedAt - one.requestedAt),
  })
}

export class Unit implements Facts {
  readonly organisations
  readonly chargePoints
  readonly connectors
  readonly transactions
  readonly meterValues
  readonly idTags
  readonly commands
  readonly sealedRequests
  readonly configurationKeys
  readonly deletedChargePoints
  readonly localLists
  readonly chargingProfiles
  readonly reservations
  readonly firmwareImages
  readonly firmwareUpdates
  readonly diagnostics
  readonly firmwareCampaigns
  readonly firmwareCampaignChargePoints
  readonly reports
  readonly strayMessages
  readonly apiTokens
  readonly #session: Session
  readonly #locked: ReadonlySet<string>
  readonly #told: Event[] = []

  /** `locked` names the subjects whose story may be continued. */
  constructor(session: Session, locked: ReadonlySet<string>) {
    this.#session = session
    this.#locked = locked
    this.organisations = new LoadedRows(onOrganisations, session)
    const loadedChargePoints = new LoadedRows(onChargePoints, session)
    const byIdentity = loadedChargePoints.gather(["identity"], chargePointsByIdentity)
    this.chargePoints = Object.assign(loadedChargePoints, {
      loadByIdentity: (identities: readonly string[]) => byIdentity.load(identities.map((name) => [encodeValue(name)])),
      byIdentity: (identity: string) => byIdentity.of([encodeValue(identity)])[0],
    })
    const loadedConnectors = new LoadedRows<ConnectorRow, ConnectorKey>(onConnectors, session)
    this.connectors = ofChargePoints(loadedConnectors, loadedConnectors.gather(["chargePointId"], connectorsOf))
    this.transactions = new LoadedTransactions(session)
    this.meterValues = new LoadedMeterValues(session, (id) => this.transactions.drew(id))
    this.idTags = new LoadedRows(onIdTags, session)
    const loadedCommands = new LoadedRows(onCommands, session)
    const byKey = loadedCommands.gather(["organisationId", "idempotencyKey"], commandsByIdempotencyKey)
    const queued = loadedCommands.gather(["chargePointId"], queuedCommands)
    const lastSent = loadedCommands.gather(["chargePointId"], lastSentCommand)
    this.commands = Object.assign(loadedCommands, {
      loadByIdempotencyKey: (keys: readonly { organisationId: string; idempotencyKey: string }[]) =>
        byKey.load(keys.map((key) => [encodeValue(key.organisationId), encodeValue(key.idempotencyKey)])),
      byIdempotencyKey: (organisationId: string, idempotencyKey: string) =>
        byKey.of([encodeValue(organisationId), encodeValue(idempotencyKey)])[0],
      loadQueued: (chargePointIds: readonly string[]) => queued.load(chargePointIds.map((id) => [id])),
      queued: (chargePointId: string) =>
        queued
          .of([chargePointId])
          .filter(({ state }) => state === "Queued")
          .sort(compareInQueue),
      loadLastSent: (chargePointIds: readonly string[]) => lastSent.load(chargePointIds.map((id) => [id])),
      lastSent: (chargePointId: string) =>
        lastSent
          .of([chargePointId])
          .filter(({ expiresAt, sentAt }) => expiresAt !== null && sentAt !== null)
          .sort(compareInQueue)
          .at(-1),
    })
    this.sealedRequests = new LoadedRows(onSealedRequests, session)
    const loadedKeys = new LoadedRows<ConfigurationKeyRow, ConfigurationKeyKey>(onConfigurationKeys, session)
    this.configurationKeys = ofChargePoints(loadedKeys, loadedKeys.gather(["chargePointId"], configurationOf))
    this.deletedChargePoints = new AddedRows(toDeletedChargePoints, session)
    this.localLists = new LoadedRows(onLocalLists, session)
    const loadedProfiles = new LoadedRows(onChargingProfiles, session)
    this.chargingProfiles = ofChargePoints(loadedProfiles, loadedProfiles.gather(["chargePointId"], profilesOf))
    this.reservations = new LoadedReservations(session)
    this.firmwareImages = new LoadedRows(onFirmwareImages, session)
    const updates = new LoadedRows(onFirmwareUpdates, session)
    this.firmwareUpdates = latestOfChargePoints(updates, updates.gather(["chargePointId"], latestUpdates))
    const requested = new LoadedRows(onDiagnostics, session)
    this.diagnostics = latestOfChargePoints(requested, requested.gather(["chargePointId"], latestDiagnostics))
    const campaigns = new LoadedRows(onFirmwareCampaigns, session)
    this.firmwareCampaigns = byIdempotencyKeys(
      campaigns,
      campaigns.gather(["organisationId", "idempotencyKey"], campaignsByIdempotencyKey),
    )
    this.firmwareCampaignChargePoints = new LoadedCampaignChargePoints(session)
    this.reports = new AddedRows(toReports, session)
    this.strayMessages = new AddedRows(toStrayMessages, session)
    this.apiTokens = new LoadedRows(onApiTokens, session)
  }

  tell(organisationId: string, subject: string, at: number, body: EventBody): void {
    if (!this.#locked.has(subject)) throw new Error(`${subject} was not named among the subjects of the change`)
    this.#told.push({ ...body, organisationId, subject, version: NO_VERSION, at })
  }

  /** Saves rows and journal and commits; resolves to what was journalled, null where nothing was told. */
  async commit(now: number): Promise<JournalEntry | null> {
    if (this.#told.length === 0) {
      await this.#session.commit(this.#issueSaves())
      this.transactions.committed()
      return null
    }
    const subjects = await this.#session.subjects
    const events = versioned(this.#told, subjects)
    const last = lastOfEach(events)
    const issued = this.#issueSaves()
    const readings = await this.meterValues.list()
    const told = issueTelling(
      this.#session,
      [now, writeTexts(events), previousOf(last, subjects)],
      last.map(({ subject, organisationId, version }) => [
        subject,
        organisationId,
        version,
        readings.get(subject) ?? null,
      ]),
    )
    await this.#session.commit([...issued, told])
    const [entry] = (await told).flat()
    if (entry === undefined) throw new Error("the journal gave no id")
    this.#keep(subjects, last, readings, entry.id)
    return { id: entry.id, events }
  }

  /** Hands what was committed on to the units to come. */
  #keep(
    subjects: readonly SubjectRow[],
    last: readonly RecordedEvent[],
    readings: ReadonlyMap<string, string>,
    journalId: number,
  ): void {
    const { kept } = this.#session
    if (kept === undefined) return
    this.transactions.committed()
    this.meterValues.committed()
    const before = new Map(subjects.map((row) => [row.subject, row]))
    for (const { subject, organisationId, version } of last) {
      const known = readings.get(subject) ?? before.get(subject)?.readings ?? null
      kept.set(SUBJECTS, subject, { subject, organisationId, version, journalId, readings: known } satisfies SubjectRow)
    }
  }

  /** Parents are saved before what refers to them, and deleted after it. */
  #issueSaves(): Promise<unknown>[] {
    const parents = [this.organisations, this.chargePoints, this.transactions]
    const others = [
      this.connectors,
      this.configurationKeys,
      this.commands,
      this.sealedRequests,
      this.idTags,
      this.apiTokens,
      this.localLists,
      this.firmwareImages,
      this.firmwareUpdates,
      this.diagnostics,
      this.firmwareCampaigns,
      this.firmwareCampaignChargePoints,
      this.reservations,
      this.chargingProfiles,
    ]
    const added = [this.meterValues, this.deletedChargePoints, this.reports, this.strayMessages]
    return [
      ...others.flatMap((rows) => rows.issueDeletions()),
      ...parents.toReversed().flatMap((rows) => rows.issueDeletions()),
      ...[...parents, ...others, ...added].flatMap((rows) => rows.issueSaves()),
      ...this.meterValues.issuePowers(),
      ...this.transactions.issueEndOfPower(),
    ]
  }
}

function versioned(told: readonly Event[], subjects: readonly SubjectRow[]): RecordedEvent[] {
  const versions = new Map(subjects.map(({ subject, version }) => [subject, version]))
  return told.map((event) => {
    const version = (versions.get(event.subject) ?? 0) + 1
    versions.set(event.subject, version)
    event.version = version
    return record(event)
  })
}

/** The last event of each subject. */
function lastOfEach(events: readonly RecordedEvent[]): RecordedEvent[] {
  const last = new Map<string, RecordedEvent>()
  for (const event of events) last.set(event.subject, event)
  return [...last.values()]
}

/** JSON: where the subjects' stories were told before, so that a story can be followed back; see `journal.ts`. */
function previousOf(last: readonly RecordedEvent[], subjects: readonly SubjectRow[]): string {
  const journalIds = new Map<string, number | null>()
  for (const { subject, journalId } of subjects) journalIds.set(subject, journalId)
  let text = "{"
  for (const { subject } of last) {
    const journalId = journalIds.get(subject)
    // Put together by hand: an object with a thousand names is slow to make.
    if (journalId != null) text += `${text === "{" ? "" : ","}${JSON.stringify(subject)}:${journalId}`
  }
  return `${text}}`
}
