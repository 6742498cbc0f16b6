import type { Transaction } from "kysely"
import type { EngineName } from "../session.ts"

/** One step of the tables' history; it runs once per database, within the transaction that records it. */
export type Migration = (db: Transaction<unknown>, engine: EngineName, now: number) => Promise<void>
