/** Reading a list as a client does, page by page. */
import type { Page, Slice } from "../../src/services/ports.ts"

/** All rows of a list, three by three, forwards and then backwards. */
export async function leaf<Row>(
  list: (page: Page) => Promise<Slice<Row>>,
): Promise<{ forwards: Row[]; backwards: Row[] }> {
  const forwards: Row[] = []
  for (let after: string | undefined, more = true; more;) {
    const { rows, hasNextPage } = await list({ first: 3, ...(after !== undefined && { after }) })
    forwards.push(...rows.map(({ row }) => row))
    after = rows.at(-1)?.cursor
    more = hasNextPage
  }
  const backwards: Row[] = []
  for (let before: string | undefined, more = true; more;) {
    const { rows, hasPreviousPage } = await list({ last: 3, ...(before !== undefined && { before }) })
    backwards.unshift(...rows.map(({ row }) => row))
    before = rows[0]?.cursor
    more = hasPreviousPage
  }
  return { forwards, backwards }
}
