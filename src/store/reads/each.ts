/** Lists below a list: the first page for each of many parents, in one statement that goes through each one's index. */
import { type RawBuilder, sql } from "kysely"
import type { EndPage, Slice } from "../../services/ports.ts"
import { compare, fieldsOf, type Order, readingOf, sliceOf } from "../paging.ts"
import type { Source } from "./source.ts"

/** A list that hangs on a parent. The fields are written as rows have them, without a table's name. */
export interface ChildList<Row, Parent> {
  table: string
  /** Names one row. */
  key: string
  /** Where the list is kept, if not with the rows themselves: a table with what it is ordered by, and how it names a row. */
  listedIn?: { table: string; key: string }
  parent: keyof Row & string
  parentOf(row: Row): Parent | null
  order: Order<Row>
  /** What is read of a row; everything when left out. */
  fields?: readonly (keyof Row & string)[]
}

/** Each parent's page; conditions name the fields of a row as `n.field`. A parent without rows has an empty page. */
export async function sliceOfEach<Row, Parent extends string | number>(
  { db, engine }: Source,
  { table, key, listedIn = { table, key }, parent, parentOf, order, fields }: ChildList<Row, Parent>,
  parents: readonly Parent[],
  conditions: readonly RawBuilder<boolean>[],
  page: EndPage,
): Promise<Map<Parent, Slice<Row>>> {
  const { direction, limit } = readingOf(order, page)
  const kind = sql.raw(typeof parents[0] === "number" ? "bigint[]" : "text[]")
  const ordering = sql.join(fieldsOf(order).map((field) => sql`${sql.ref(`n.${field}`)} ${sql.raw(direction)}`))
  const its = (
    selected: RawBuilder<unknown>,
    given: string,
  ) => sql`select ${selected} from ${sql.table(listedIn.table)} n
    where ${sql.join([sql`${sql.ref(`n.${parent}`)} = ${sql.ref(given)}`, ...conditions], sql` and `)}
    order by ${ordering} limit ${limit}`
  const columns = fields ? sql.join(fields.map((field) => sql.ref(`m.${field}`))) : sql.raw("m.*")
  // Each engine goes through the index for one of these; the other's way would have it read the whole table.
  const { rows } =
    engine === "postgres"
      ? await sql<Row>`select ${columns} from unnest(${parents}::${kind}) as given(id)
          cross join lateral (${its(sql.raw("n.*"), "given.id")}) m`.execute(db)
      : await sql<Row>`select ${columns} from json_each(${JSON.stringify(parents)}) given
          join ${sql.table(table)} m on ${sql.ref(`m.${key}`)} in (${its(sql.ref(`n.${listedIn.key}`), "given.value")})`.execute(
          db,
        )
  const sign = direction === "asc" ? 1 : -1
  const ordered = rows.toSorted((one, other) => sign * compare(one, other, fieldsOf(order)))
  const byParent = Map.groupBy(ordered, parentOf)
  return new Map(parents.map((id) => [id, sliceOf(byParent.get(id) ?? [], order, page)]))
}
