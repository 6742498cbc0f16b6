/** The idTags of an organisation: who may charge. OCPP 1.6 §7.28. */
import { idTagKeyOf } from "../facts/id-tags.ts"
import type { IdTagRow, StoredIdTagStatus } from "../facts/rows.ts"
import type { Clock, Store } from "./ports.ts"
import { AlreadyExists, demand, IdTagNotFound } from "./refusals.ts"
import type { Viewer } from "./viewer.ts"

/** What an operator decides about an idTag; what is undefined stays as it is, null takes it away. */
export interface IdTagSettings {
  status?: StoredIdTagStatus | undefined
  parentIdTag?: string | null | undefined
  /** Epoch ms. */
  expiryDate?: number | null | undefined
  /** How many transactions may run on it at once; null: any number. */
  maxActiveTransactions?: number | null | undefined
  note?: string | null | undefined
}

export class IdTags {
  readonly #store: Pick<Store, "change">
  readonly #clock: Clock

  constructor(store: Pick<Store, "change">, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** @throws InvalidInput, AlreadyExists (letter case makes no difference). */
  async create(viewer: Viewer, idTag: string, settings: IdTagSettings): Promise<IdTagRow> {
    demand([isIdToken(idTag), "idTag", ID_TOKEN_RULE], ...rulesFor(settings))
    const outcome = await this.#store.change("createIdTag", {
      idTag: {
        id: crypto.randomUUID(),
        organisationId: viewer.organisationId,
        idTag,
        idTagKey: idTagKeyOf(idTag),
        status: settings.status ?? "Accepted",
        parentIdTag: settings.parentIdTag ?? null,
        expiryDate: settings.expiryDate ?? null,
        maxActiveTransactions: settings.maxActiveTransactions ?? null,
        note: settings.note ?? null,
        createdAt: this.#clock.now(),
      },
    })
    if ("alreadyExists" in outcome) throw new AlreadyExists(`the idTag ${JSON.stringify(idTag)} exists already`)
    return outcome.idTag
  }

  /** @throws InvalidInput, IdTagNotFound */
  async update(viewer: Viewer, idTag: string, settings: IdTagSettings): Promise<IdTagRow> {
    const { status, parentIdTag, expiryDate, maxActiveTransactions, note } = settings
    demand(...rulesFor(settings))
    const outcome = await this.#store.change("updateIdTag", {
      organisationId: viewer.organisationId,
      idTagKey: idTagKeyOf(idTag),
      change: {
        ...(status !== undefined && { status }),
        ...(parentIdTag !== undefined && { parentIdTag }),
        ...(expiryDate !== undefined && { expiryDate }),
        ...(maxActiveTransactions !== undefined && { maxActiveTransactions }),
        ...(note !== undefined && { note }),
      },
    })
    if ("notFound" in outcome) throw new IdTagNotFound(idTag)
    return outcome.idTag
  }

  /** @throws IdTagNotFound */
  async delete(viewer: Viewer, idTag: string): Promise<IdTagRow> {
    const { organisationId } = viewer
    const outcome = await this.#store.change("deleteIdTag", { organisationId, idTagKey: idTagKeyOf(idTag) })
    if ("notFound" in outcome) throw new IdTagNotFound(idTag)
    return outcome.idTag
  }
}

const ID_TOKEN_RULE = "must have 1 to 20 characters, none of them a control"

/** CiString20Type, which is printable. OCPP 1.6 §7.15. */
const isIdToken = (text: string) => idTagKeyOf(text) !== "" && [...text].length <= 20 && !/[\p{Cc}\p{Cs}]/u.test(text)

const rulesFor = ({
  parentIdTag,
  maxActiveTransactions,
  note,
}: IdTagSettings): [holds: boolean, path: string, message: string][] => [
  [parentIdTag == null || isIdToken(parentIdTag), "parentIdTag", ID_TOKEN_RULE],
  [maxActiveTransactions == null || maxActiveTransactions >= 1, "maxActiveTransactions", "must be at least 1"],
  [note == null || note.length <= 1_000, "note", "must have at most 1000 characters"],
]
