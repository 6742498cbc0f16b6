/** Firmware campaigns and their charge points: as lists, and as what the campaigns have to look at next. */
import { type RawBuilder, sql } from "kysely"
import { UNDER_WAY } from "../../facts/campaigns.ts"
import type { CampaignEntry } from "../../facts/catalogue-of-campaigns.ts"
import type { FirmwareCampaignChargePointRow, FirmwareCampaignRow } from "../../facts/rows-of-campaigns.ts"
import type { CampaignProgressFilter, Reads } from "../../services/ports.ts"
import { type Order, slice } from "../paging.ts"
import { type ChildList, sliceOfEach } from "./each.ts"
import { among, type Source } from "./source.ts"

type FirmwareCampaignReads = Pick<
  Reads,
  | "firmwareCampaignsByIds"
  | "firmwareCampaigns"
  | "firmwareCampaignChargePointsByIds"
  | "firmwareCampaignProgress"
  | "firmwareCampaignProgressOfEach"
  | "firmwareCampaignsAtWork"
  | "askableChargePoints"
  | "firmwareAttemptsToFollow"
  | "campaignEntriesOf"
>

const newestFirst: Order<FirmwareCampaignRow> = {
  name: "firmwareCampaigns",
  by: { createdAt: "integer", id: "text" },
  direction: "desc",
}
const asNamed: Order<FirmwareCampaignChargePointRow> = {
  name: "firmwareCampaignProgress",
  by: { position: "integer" },
  direction: "asc",
}
const ofCampaign: ChildList<FirmwareCampaignChargePointRow, string> = {
  table: "campaignChargePoints",
  key: "id",
  parent: "campaignId",
  parentOf: ({ campaignId }) => campaignId,
  order: asNamed,
}

/** How long after it was asked a charge point's late success is looked for where nobody was told of it. */
const LATE_MS = 7 * 86_400_000

// A statement may only use the indexes of these states whose text says that no others are meant.
const wordsOf = (states: readonly string[]) => sql.join(states.map((state) => sql.lit(state)))
const isUnderWay = sql<boolean>`e.state in (${wordsOf(UNDER_WAY)})`
const isPending = sql<boolean>`e.state in ('Pending')`
const hasExpired = sql<boolean>`e.failure = 'Expired' and e.state <> 'Installed'`

export function firmwareCampaignReads(source: Source): FirmwareCampaignReads {
  const { db } = source
  const campaigns = () => db.selectFrom("firmwareCampaigns").selectAll()
  const entries = () => db.selectFrom("campaignChargePoints").selectAll()
  const keys = sql`e.organisation_id as "organisationId", e.campaign_id as "campaignId", e.charge_point_id as "chargePointId"`
  const keysOf = async (rest: RawBuilder<unknown>): Promise<CampaignEntry[]> =>
    (await sql<CampaignEntry>`select ${keys} from campaign_charge_points e ${rest}`.execute(db)).rows
  return {
    firmwareCampaignsByIds: (ids) =>
      campaigns()
        .where(among(source, "id", ids))
        .execute(),

    firmwareCampaigns(organisationId, { state }, page) {
      let found = campaigns().where("organisationId", "=", organisationId)
      if (state !== undefined) found = found.where(among(source, "state", state))
      return slice(found, newestFirst, page)
    },

    firmwareCampaignChargePointsByIds: (ids) =>
      entries()
        .where(among(source, "id", ids))
        .execute(),

    firmwareCampaignProgress(campaignId, { state }, page) {
      const found = entries().where("campaignId", "=", campaignId)
      return slice(state === undefined ? found : found.where(among(source, "state", state)), asNamed, page)
    },

    firmwareCampaignProgressOfEach: (campaignIds, { state }: CampaignProgressFilter, page) =>
      sliceOfEach(source, ofCampaign, campaignIds, state === undefined ? [] : [among(source, "n.state", state)], page),

    firmwareCampaignsAtWork: (at) =>
      campaigns()
        .where(sql<boolean>`state in ('Scheduled', 'Running')`)
        .where(({ eb, or }) => or([eb("state", "=", "Running"), eb("startAt", "<=", at)]))
        .orderBy("startAt")
        .orderBy("id")
        .execute(),

    askableChargePoints: (campaignId, at, limit) =>
      keysOf(sql`left join charge_points c on c.id = e.charge_point_id
        where e.campaign_id = ${campaignId} and ${isPending} and (e.due_at is null or e.due_at <= ${at})
        and (c.id is null or (c.online = 1 and c.registration_status = 'Accepted' and c.accepted_at is not null))
        and not exists (select 1 from campaign_charge_points o
          where o.charge_point_id = e.charge_point_id and o.state in (${wordsOf(UNDER_WAY)}))
        order by e.position limit ${limit}`),

    firmwareAttemptsToFollow: async (at, limit) => {
      const [underWay, late] = await Promise.all([
        keysOf(sql`left join commands c on c.id = e.command_id left join firmware_updates u on u.id = e.command_id
          where ${isUnderWay} and (e.due_at <= ${at} or u.status is distinct from e.status or c.state = 'Failed'
            or (c.sent_at is null) <> (e.sent_at is null) or (c.sent_at is null and c.answered_at is not null))
          limit ${limit}`),
        keysOf(sql`join firmware_updates u on u.id = e.command_id
          where ${hasExpired} and e.sent_at > ${at - LATE_MS} and u.status = 'Installed' limit ${limit}`),
      ])
      return [...underWay, ...late]
    },

    campaignEntriesOf: async (chargePointIds) => {
      const theirs = among(source, "e.chargePointId", chargePointIds)
      const found = await Promise.all(
        [isUnderWay, isPending, hasExpired].map((open) => keysOf(sql`where ${theirs} and ${open}`)),
      )
      const unique = new Map(found.flat().map((entry) => [`${entry.campaignId} ${entry.chargePointId}`, entry]))
      return [...unique.values()]
    },
  }
}
