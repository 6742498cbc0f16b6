/** What a node that hears nothing from the others writes into the books, so that they do not take it for dead. */
import type { Clock, Store } from "./ports.ts"

/** A word that is older than this (ms) is no sign of life. */
const FRESH_MS = 5_000

const settingOf = (nodeId: string): string => `node.cut-off:${nodeId}`

/** Says that the node lives, holds what it held, and cannot be reached. @throws StoreUnavailable */
export function sayCutOff(store: Pick<Store, "putSetting">, clock: Clock, nodeId: string): Promise<void> {
  return store.putSetting(settingOf(nodeId), String(clock.now()))
}

/** Whether the node has just said so. @throws StoreUnavailable */
export async function isCutOff(store: Pick<Store, "setting">, clock: Clock, nodeId: string): Promise<boolean> {
  const said = await store.setting(settingOf(nodeId))
  return said !== undefined && clock.now() - Number(said) < FRESH_MS
}
