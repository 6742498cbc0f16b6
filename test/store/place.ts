/** Where a store under test lives, and what tests do to that place behind the store's back. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createLog } from "../../src/log.ts"
import type { Store } from "../../src/services/ports.ts"
import { openStore, type StoreOptions } from "../../src/store/index.ts"

/** An empty database; disposing closes every store opened on it and takes it away. */
export interface Place extends AsyncDisposable {
  readonly options: StoreOptions
  /** How many stores may be open on it at a time. */
  readonly stores: number
  open(change?: Partial<StoreOptions>): Promise<Store>
  /** Stops every commit by a lock of another connection's, as a stalled disk would, until called again. */
  stall(): Promise<() => Promise<void>>
  /** Runs SQL on a connection of its own. */
  query(text: string): Promise<Record<string, unknown>[]>
}

export type OpenPlace = () => Promise<Place>

/** What both engines' places share. */
export function placeAt(url: string | undefined, own: Pick<Place, "stores" | "stall" | "query">): Place {
  const dataDir = mkdtempSync(join(tmpdir(), "busbar-test-store-"))
  const options: StoreOptions = { ...(url !== undefined && { url }), dataDir, log: createLog("silent"), now: Date.now }
  const opened: Store[] = []
  return {
    ...own,
    options,
    async open(change = {}) {
      const store = await openStore({ ...options, ...change })
      opened.push(store)
      return store
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * What a promise was rejected with; undefined where it was not. Bun's `rejects` waits without letting the event loop
 * turn, so that what needs a timer or an immediate never ends there.
 */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
