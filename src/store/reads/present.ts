/** What is there now, row by row and with how far the stories had come: one read transaction, in steps that leave the event loop time. */
import { setImmediate } from "node:timers/promises"
import { campaignSubject, chargePointSubject } from "../../facts/events.ts"
import type { MeterValueRow } from "../../facts/rows.ts"
import type { Page, Present, ReadingRef, Reads, Slice } from "../../services/ports.ts"
import { chargePointReads } from "./charge-points.ts"
import { commandReads } from "./commands.ts"
import { firmwareCampaignReads } from "./firmware-campaigns.ts"
import { meterValueReads } from "./meter-values.ts"
import { among, type Source } from "./source.ts"
import { transactionReads } from "./transactions.ts"

type PresentReads = Pick<
  Reads,
  "presentChargePoints" | "presentTransactions" | "presentCommands" | "presentReadings" | "presentFirmwareCampaign"
>

/** Rows per statement. */
const STEP = 500
/** Charge points whose newest readings one statement finds. */
const READINGS_STEP = 100

export function presentReads({ apart, engine }: Source): PresentReads {
  /** All that `look` asks is answered as of one instant. */
  const inOneRead = <Answer>(look: (source: Source) => Promise<Answer>): Promise<Answer> =>
    apart
      .transaction()
      .setIsolationLevel("repeatable read")
      .setAccessMode("read only")
      .execute((db) => look({ db, apart: db, engine }))

  return {
    presentChargePoints: (organisationId, filter) =>
      inOneRead(async (source) => {
        const { chargePoints, chargePointsByIdentities } = chargePointReads(source)
        const named = filter.identities && (await chargePointsByIdentities(organisationId, filter.identities))
        return {
          versions: await versionsOf(
            source,
            organisationId,
            named?.map(({ id }) => id),
          ),
          rows: await allOf((page) => chargePoints(organisationId, filter, page)),
        }
      }),

    presentTransactions: (organisationId, filter) =>
      inOneRead(async (source) => {
        const state = (filter.state ?? ["Active" as const]).filter((one) => one === "Active")
        const { transactions } = transactionReads(source)
        return {
          versions: await versionsOf(source, organisationId, filter.chargePointIds),
          rows: await allOf((page) => transactions(organisationId, { ...filter, state }, page)),
        }
      }),

    presentCommands: (organisationId, { chargePointId, commandId }) =>
      inOneRead(async (source) => {
        const { commands, commandsByIds } = commandReads(source)
        const named = commandId === undefined ? undefined : await commandsByIds([commandId])
        const chargePointIds = chargePointId === undefined ? named?.map((row) => row.chargePointId) : [chargePointId]
        const state = ["Queued" as const, "Sent" as const]
        const unfinished = named?.filter(
          (row) =>
            row.organisationId === organisationId &&
            (chargePointId === undefined || row.chargePointId === chargePointId) &&
            state.some((one) => one === row.state),
        )
        const filter = { state, ...(chargePointId !== undefined && { chargePointIds: [chargePointId] }) }
        return {
          versions: await versionsOf(source, organisationId, chargePointIds),
          rows: unfinished ?? (await allOf((page) => commands(organisationId, filter, page))),
        }
      }),

    presentFirmwareCampaign: (organisationId, campaignId) =>
      inOneRead(async (source) => {
        const { firmwareCampaignsByIds, firmwareCampaignProgress } = firmwareCampaignReads(source)
        const [campaign] = await firmwareCampaignsByIds([campaignId])
        if (campaign?.organisationId !== organisationId) return { rows: [], versions: new Map() }
        const versions = await versionsOfSubjects(source, organisationId, [campaignSubject(campaignId)])
        const chargePoints = await allOf((page) => firmwareCampaignProgress(campaignId, {}, page))
        const rows = [null, ...chargePoints].map((chargePoint) => ({ campaign, chargePoint }))
        return { rows, versions }
      }),

    presentReadings: (organisationId, of, perConnector) =>
      inOneRead((source) =>
        of.transactionId === undefined
          ? readingsOfConnectors(source, organisationId, of.chargePointId, perConnector)
          : readingsOfTransaction(source, organisationId, of.transactionId, of.chargePointId, perConnector),
      ),
  }
}

async function readingsOfConnectors(
  source: Source,
  organisationId: string,
  chargePointId: string | undefined,
  perConnector: number,
): Promise<Present<ReadingRef>> {
  const one = chargePointId === undefined ? undefined : [chargePointId]
  const versions = await versionsOf(source, organisationId, one)
  const ids = one ?? (await chargePointIdsOf(source, organisationId))
  const rows: ReadingRef[] = []
  for (let from = 0; from < ids.length; from += READINGS_STEP) {
    const found = await meterValueReads(source).latestMeterValuesOf(ids.slice(from, from + READINGS_STEP), perConnector)
    rows.push(...found.filter((row) => row.organisationId === organisationId).map(refOf))
    await setImmediate()
  }
  return { rows, versions }
}

async function readingsOfTransaction(
  source: Source,
  organisationId: string,
  transactionId: number,
  chargePointId: string | undefined,
  perConnector: number,
): Promise<Present<ReadingRef>> {
  const [transaction] = await transactionReads(source).transactionsByIds([transactionId])
  const isWanted =
    transaction?.organisationId === organisationId &&
    (chargePointId === undefined || transaction.chargePointId === chargePointId)
  if (!isWanted) return { rows: [], versions: new Map() }
  const versions = await versionsOf(source, organisationId, [transaction.chargePointId])
  const newest = await meterValueReads(source).meterValuesOfEach([transactionId], { last: perConnector })
  return { versions, rows: (newest.get(transactionId)?.rows ?? []).map(({ row }) => refOf(row)) }
}

const refOf = ({ chargePointId, connectorId, transactionId, at, digest }: MeterValueRow): ReadingRef => ({
  chargePointId,
  connectorId,
  transactionId,
  at,
  digest,
})

const chargePointIdsOf = async ({ db }: Source, organisationId: string): Promise<string[]> => {
  const found = db.selectFrom("chargePoints").select("id").where("organisationId", "=", organisationId)
  return (await found.orderBy("id").execute()).map(({ id }) => id)
}

/** Of these charge points, else of everything in the organisation. */
const versionsOf = (source: Source, organisationId: string, chargePointIds: readonly string[] | undefined) =>
  versionsOfSubjects(source, organisationId, chargePointIds?.map(chargePointSubject))

async function versionsOfSubjects(
  source: Source,
  organisationId: string,
  subjects: readonly string[] | undefined,
): Promise<Map<string, number>> {
  const all = source.db.selectFrom("subjects").select(["subject", "version"]).where("version", ">", 0)
  const found =
    subjects === undefined
      ? all.where("organisationId", "=", organisationId)
      : all.where(among(source, "subject", subjects))
  const versions = new Map<string, number>()
  for (let last: string | undefined; ;) {
    const page = await (last === undefined ? found : found.where("subject", ">", last))
      .orderBy("subject")
      .limit(STEP * 10)
      .execute()
    for (const { subject, version } of page) versions.set(subject, version)
    last = page.at(-1)?.subject
    if (page.length < STEP * 10) return versions
    await setImmediate()
  }
}

async function allOf<Row>(list: (page: Page) => Promise<Slice<Row>>): Promise<Row[]> {
  const all: Row[] = []
  for (let after: string | undefined; ;) {
    const { rows, hasNextPage } = await list({ first: STEP, ...(after !== undefined && { after }) })
    all.push(...rows.map(({ row }) => row))
    after = rows.at(-1)?.cursor
    if (!hasNextPage) return all
    await setImmediate()
  }
}
