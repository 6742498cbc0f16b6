import { GraphQLError } from "graphql"
import type { Page, Slice } from "../src/services/ports.ts"

export const DEFAULT_PAGE = 100
export const MAX_PAGE = 500

export interface PageArguments {
  first?: number | null | undefined
  after?: string | null | undefined
  last?: number | null | undefined
  before?: string | null | undefined
}

const refused = (message: string) => new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } })

/** The page that a connection's arguments ask for. @throws GraphQLError BAD_USER_INPUT */
export function pageOf({ first, after, last, before }: PageArguments): Page {
  if (first != null && last != null) throw refused("first and last cannot be given together")
  if (after != null && before != null) throw refused("after and before cannot be given together")
  if (first != null && before != null) throw refused("before goes with last")
  if (last != null && after != null) throw refused("after goes with first")
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 1 || size > MAX_PAGE)) throw refused(`${name} must be 1 to ${MAX_PAGE}`)
  }
  return last != null || before != null
    ? { last: last ?? DEFAULT_PAGE, ...(before != null && { before }) }
    : { first: first ?? DEFAULT_PAGE, ...(after != null && { after }) }
}

/** Whether the page begins at an end of its list: such pages are read for many lists at once. */
export const isEndPage = ({ after, before }: Page): boolean => after === undefined && before === undefined

/** A slice as a connection shows it; `count` tells how long the whole list is. */
export function connectionOf<Row>({ rows, hasNextPage, hasPreviousPage }: Slice<Row>, count?: () => Promise<number>) {
  let counted: Promise<number> | undefined
  return {
    edges: rows.map(({ row, cursor }) => ({ node: row, cursor })),
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: rows[0]?.cursor ?? null,
      endCursor: rows.at(-1)?.cursor ?? null,
    },
    // However many names it is asked for by, it is counted once.
    ...(count && { count: () => (counted ??= count()) }),
  }
}

/** The same without the fields that are null or undefined: left out is left out. */
export function given<Fields extends object>(
  fields: Fields | null | undefined,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value != null)) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>
  }
}
