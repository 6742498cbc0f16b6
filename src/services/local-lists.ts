/** Local authorization lists: what is sent to a charge point, made of the organisation's idTags. OCPP 1.6 §3.5. */
import { authorize, idTagKeyOf } from "../facts/id-tags.ts"
import { difference, entriesOf } from "../facts/local-list.ts"
import type { ChargePointRow, IdTagRow } from "../facts/rows.ts"
import type { RequestOf } from "../ocpp/action.ts"
import type { FromCentralSystem } from "../ocpp/index.ts"
import type { AuthorizationData } from "../ocpp/types.ts"
import type { Clock, Store } from "./ports.ts"
import { ChargePointNotFound, demand, InvalidInput } from "./refusals.ts"

type SendLocalListRequest = RequestOf<FromCentralSystem["SendLocalList"]>

/** What an operator wants a charge point's list to be. */
export interface ListWish {
  updateType: SendLocalListRequest["updateType"]
  /** Left out: the next of a number that only grows. */
  listVersion?: number | undefined
  /** The entries as they go on the wire. */
  localAuthorizationList?: AuthorizationData[] | undefined
  /** The entries by idTag, filled with what is known of each. */
  idTags?: string[] | undefined
}

const PAGE = 1_000

export class LocalLists {
  readonly #store: Pick<Store, "read" | "change">
  readonly #clock: Clock

  constructor(store: Pick<Store, "read" | "change">, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * The request that carries out the wish. Entries given are sent as they are given; else a full list has the named
   * idTags, or all of the organisation, and a differential one what changed of the named idTags (one that is no longer
   * known is deleted), or all that differs from what the charge point is believed to hold. What nobody has chosen must
   * not be more than the charge point takes in one message, as far as it has told.
   * @throws InvalidInput, ChargePointNotFound
   */
  async request(chargePoint: ChargePointRow, wish: ListWish): Promise<SendLocalListRequest> {
    demand([
      wish.localAuthorizationList === undefined || wish.idTags === undefined,
      "idTags",
      "cannot be given beside localAuthorizationList",
    ])
    const localAuthorizationList = wish.localAuthorizationList ?? (await this.#entriesFor(chargePoint, wish))
    const { organisationId, id: chargePointId } = chargePoint
    const listVersion = wish.listVersion ?? null
    const outcome = await this.#store.change("takeListVersion", { organisationId, chargePointId, listVersion })
    if ("notFound" in outcome) throw new ChargePointNotFound(chargePoint.identity)
    return { listVersion: outcome.listVersion, updateType: wish.updateType, localAuthorizationList }
  }

  async #entriesFor(chargePoint: ChargePointRow, { updateType, idTags }: ListWish): Promise<AuthorizationData[]> {
    if (idTags !== undefined) return this.#entriesOf(chargePoint.organisationId, updateType, idTags)
    const all = (await this.#allIdTags(chargePoint.organisationId)).map((row) => this.#entry(row))
    const entries = updateType === "Full" ? all : await this.#difference(chargePoint, all)
    const most = await this.#mostEntries(chargePoint)
    demand([
      most === undefined || entries.length <= most,
      "idTags",
      `the charge point takes ${most} entries per message, and ${entries.length} are to be sent: name those of each message`,
    ])
    return entries
  }

  /** What makes what the charge point holds into these entries. @throws InvalidInput where nobody knows what it holds */
  async #difference(chargePoint: ChargePointRow, all: readonly AuthorizationData[]): Promise<AuthorizationData[]> {
    const [list] = await this.#store.read.localListsOf([chargePoint.id])
    const held = list === undefined ? null : entriesOf(list)
    if (held === null) {
      const message = "what the charge point holds is not known: send a full list, or name the idTags"
      throw new InvalidInput([{ path: "updateType", message }])
    }
    return difference(held, all)
  }

  /** How many entries the charge point says it takes in one message; undefined where it has not been asked. OCPP 1.6 §9.2. */
  async #mostEntries({ id }: ChargePointRow): Promise<number | undefined> {
    const keys = await this.#store.read.configurationOf([id])
    const value = keys.find(({ key }) => key.toLowerCase() === "sendlocallistmaxlength")?.value ?? ""
    return /^\d+$/.test(value) ? Number(value) : undefined
  }

  async #entriesOf(
    organisationId: string,
    updateType: ListWish["updateType"],
    idTags: readonly string[],
  ): Promise<AuthorizationData[]> {
    const meant = new Map(idTags.map((idTag) => [idTagKeyOf(idTag), idTag]))
    const rows = await this.#store.read.idTagsByKeys(organisationId, [...meant.keys()])
    const known = new Map(rows.map((row) => [row.idTagKey, row]))
    const unknown = [...meant].filter(([key]) => !known.has(key)).map(([, idTag]) => idTag)
    demand([
      updateType === "Differential" || unknown.length === 0,
      "idTags",
      `${unknown.map((idTag) => JSON.stringify(idTag)).join(", ")} are not known`,
    ])
    return [...meant].map(([key, idTag]) => {
      const row = known.get(key)
      return row === undefined ? { idTag } : this.#entry(row)
    })
  }

  async #allIdTags(organisationId: string): Promise<IdTagRow[]> {
    const all: IdTagRow[] = []
    let after: string | undefined
    do {
      const page = after === undefined ? { first: PAGE } : { first: PAGE, after }
      const { rows, hasNextPage } = await this.#store.read.idTags(organisationId, {}, page)
      all.push(...rows.map(({ row }) => row))
      after = hasNextPage ? rows.at(-1)?.cursor : undefined
    } while (after !== undefined)
    return all
  }

  /** What an online Authorize would answer now. */
  #entry(row: IdTagRow): AuthorizationData {
    return { idTag: row.idTag, idTagInfo: authorize(row, this.#clock.now()) }
  }
}
