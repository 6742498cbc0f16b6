/** Pages of a list by keyset: a cursor names a row by what the list is ordered by, so rows that come and go shift nothing. */
import { type SelectQueryBuilder, sql } from "kysely"
import { BadCursor, type Page, type Slice } from "../services/ports.ts"
import type { Kind } from "./tables.ts"

/** How many rows a page has that asks for no number. */
const PAGE_SIZE = 50

/** What a list is ordered by: fields that together name one row, all in one direction. */
export interface Order<Row> {
  /** Part of its cursors, so that another list's are noticed. */
  name: string
  by: { readonly [Field in keyof Row]?: Kind }
  direction: "asc" | "desc"
}

type Key = (string | number)[]

/**
 * One page of a query that filters but neither orders nor limits. `of` is the table by whose columns it is ordered, where
 * the query has several. @throws BadCursor
 */
export async function slice<DB extends object, Name extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Name, Row>,
  order: Order<Row>,
  page: Page,
  of?: string,
): Promise<Slice<Row>> {
  const fields = Object.keys(order.by)
  const { backwards, direction, limit } = readingOf(order, page)
  const cursor = backwards ? page.before : page.after
  const columns = fields.map((field) => (of === undefined ? field : `${of}.${field}`))
  const rows = await beyond(query, columns, direction, cursor === undefined ? undefined : keyOf(order, cursor))
    .limit(limit)
    .execute()
  return sliceOf(rows, order, page)
}

/** How a page is read: from which end, in which direction, and how many rows, one of which only tells that there are more. */
export function readingOf<Row>(order: Order<Row>, page: Page) {
  const backwards = isBackwards(page)
  const direction: "asc" | "desc" = (order.direction === "asc") === backwards ? "desc" : "asc"
  return { backwards, direction, limit: countOf(page) + 1 }
}

/** The page made of the rows that `readingOf` says to read, in the order of reading. */
export function sliceOf<Row>(rows: readonly Row[], order: Order<Row>, page: Page): Slice<Row> {
  const backwards = isBackwards(page)
  const count = countOf(page)
  const cursor = backwards ? page.before : page.after
  const kept = rows.slice(0, count).map((row) => ({ row, cursor: cursorOf(order, row) }))
  const more = rows.length > count
  return backwards
    ? { rows: kept.reverse(), hasPreviousPage: more, hasNextPage: cursor !== undefined }
    : { rows: kept, hasNextPage: more, hasPreviousPage: cursor !== undefined }
}

/** One page over several lists in the same order, given the same page of each. */
export function mergeSlices<Row>(slices: readonly Slice<Row>[], order: Order<Row>, page: Page): Slice<Row> {
  const fields = fieldsOf(order)
  const sign = order.direction === "asc" ? 1 : -1
  const rows = slices.flatMap((part) => part.rows).sort((one, other) => sign * compare(one.row, other.row, fields))
  const backwards = isBackwards(page)
  const count = countOf(page)
  const kept = backwards ? rows.slice(Math.max(0, rows.length - count)) : rows.slice(0, count)
  const cut = kept.length < rows.length
  return {
    rows: kept,
    hasNextPage: (!backwards && cut) || slices.some((part) => part.hasNextPage),
    hasPreviousPage: (backwards && cut) || slices.some((part) => part.hasPreviousPage),
  }
}

/** Below 0 where one row stands before the other when the fields grow. */
export function compare<Row>(one: Row, other: Row, fields: readonly (keyof Row)[]): number {
  const field = fields.find((name) => one[name] !== other[name])
  return field === undefined ? 0 : one[field] < other[field] ? -1 : 1
}

const isBackwards = ({ last, before }: Page): boolean => last !== undefined || before !== undefined

const countOf = (page: Page): number => Math.max(0, (isBackwards(page) ? page.last : page.first) ?? PAGE_SIZE)

function beyond<DB extends object, Name extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Name, Row>,
  fields: readonly string[],
  direction: "asc" | "desc",
  key: Key | undefined,
): SelectQueryBuilder<DB, Name, Row> {
  const columns = sql.join(fields.map((field) => sql.ref(field)))
  const ordered = fields.reduce((ordering, field) => ordering.orderBy(sql.ref(field), direction), query)
  if (key === undefined) return ordered
  const side = direction === "asc" ? sql.raw(">") : sql.raw("<")
  return ordered.where(sql<boolean>`(${columns}) ${side} (${sql.join(key)})`)
}

function cursorOf<Row>(order: Order<Row>, row: Row): string {
  const key = fieldsOf(order).map((field) => row[field])
  return Buffer.from(JSON.stringify([order.name, ...key])).toString("base64url")
}

/** What the list is ordered by. */
export function fieldsOf<Row>(order: Order<Row>): (keyof Row & string)[]
export function fieldsOf(order: { by: object }): string[] {
  return Object.keys(order.by)
}

function keyOf<Row>(order: Order<Row>, cursor: string): Key {
  const [name, ...key] = listOf(cursor)
  const kinds: (Kind | undefined)[] = Object.values(order.by)
  if (name !== order.name || key.length !== kinds.length) throw new BadCursor("the cursor belongs to another list")
  return key.map((value, index) => {
    if (kinds[index] === "text" && typeof value === "string") return value
    if (kinds[index] === "integer" && typeof value === "number" && Number.isSafeInteger(value)) return value
    throw new BadCursor("the cursor names no row of this list")
  })
}

function listOf(cursor: string): unknown[] {
  try {
    const list: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString())
    if (Array.isArray(list)) return list
  } catch {
    // Not even text of ours.
  }
  throw new BadCursor("the cursor is not one of Busbar's")
}
