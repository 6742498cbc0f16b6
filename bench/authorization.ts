/** Who may charge, as far as the charge point itself knows: the local list and the cache. OCPP 1.6 §3.5. */
import type { Configuration } from "./configuration.ts"
import type { IdTagInfo } from "./wire.ts"

export interface AuthorizationData {
  idTag: string
  idTagInfo?: IdTagInfo
}

const CACHE_SIZE = 200
const keyOf = (idTag: string) => idTag.toLowerCase() // idTags are compared without letter case, OCPP 1.6 §3.9

export class Authorization {
  readonly #configuration: Configuration
  readonly #ask: (idTag: string) => Promise<IdTagInfo>
  readonly #list = new Map<string, IdTagInfo>()
  readonly #cache = new Map<string, IdTagInfo>()
  listVersion = 0

  /** @param ask Authorize.req; rejects when the central system cannot be asked */
  constructor(configuration: Configuration, ask: (idTag: string) => Promise<IdTagInfo>) {
    this.#configuration = configuration
    this.#ask = ask
  }

  /** May this idTag charge? Known ones at once if so configured, then the central system, offline the own memory. */
  async check(idTag: string): Promise<IdTagInfo> {
    const known = this.#known(idTag)
    if (known?.status === "Accepted" && this.#configuration.flag("LocalPreAuthorize")) return known
    try {
      const info = await this.#ask(idTag)
      this.learn(idTag, info)
      return info
    } catch {
      if (known && this.#configuration.flag("LocalAuthorizeOffline")) return known
      const unknownMay = !known && this.#configuration.flag("AllowOfflineTxForUnknownId")
      return { status: unknownMay ? "Accepted" : "Invalid" }
    }
  }

  /** Every idTagInfo from the central system renews the cache. OCPP 1.6 §3.5.1. */
  learn(idTag: string, info: IdTagInfo): void {
    this.#cache.delete(keyOf(idTag))
    this.#cache.set(keyOf(idTag), info)
    const oldest = this.#cache.keys().next().value
    if (this.#cache.size > CACHE_SIZE && oldest !== undefined) this.#cache.delete(oldest)
  }

  parentOf(idTag: string): string | undefined {
    return this.#known(idTag)?.parentIdTag
  }

  /** ClearCache.req; false when there is no cache. OCPP 1.6 §5.4. */
  clearCache(): boolean {
    this.#cache.clear()
    return this.#configuration.flag("AuthorizationCacheEnabled")
  }

  /** SendLocalList.req. OCPP 1.6 §5.15. */
  updateList(version: number, type: string, entries: AuthorizationData[]): "Accepted" | "Failed" | "VersionMismatch" {
    const full = type === "Full"
    if (version <= 0) return "Failed"
    if (!full && version <= this.listVersion) return "VersionMismatch"
    const distinct = new Set(entries.map(({ idTag }) => keyOf(idTag))).size === entries.length
    const complete = !full || entries.every(({ idTagInfo }) => idTagInfo)
    const most = this.#configuration.number("SendLocalListMaxLength")
    if (!distinct || !complete || entries.length > most) return "Failed"
    if (full) this.#list.clear()
    for (const { idTag, idTagInfo } of entries)
      if (idTagInfo) this.#list.set(keyOf(idTag), idTagInfo)
      else this.#list.delete(keyOf(idTag))
    this.listVersion = version
    return "Accepted"
  }

  /** GetLocalListVersion.conf: 0 for an empty list, −1 when lists are switched off. OCPP 1.6 §5.10. */
  get reportedVersion(): number {
    if (!this.#configuration.flag("LocalAuthListEnabled")) return -1
    return this.#list.size === 0 ? 0 : this.listVersion
  }

  #known(idTag: string): IdTagInfo | undefined {
    const listed = this.#configuration.flag("LocalAuthListEnabled") ? this.#list.get(keyOf(idTag)) : undefined
    const cached = this.#configuration.flag("AuthorizationCacheEnabled") ? this.#cache.get(keyOf(idTag)) : undefined
    const info = listed ?? cached
    if (info?.expiryDate === undefined || Date.parse(info.expiryDate) > Date.now()) return info
    return { ...info, status: "Expired" }
  }
}
