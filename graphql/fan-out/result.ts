import type { GraphQLError } from "graphql"

const encoder = new TextEncoder()

/** Characters that leave with one write. A write costs more than what is written, until this much is. */
const PIECE_LENGTH = 32 * 1024

/** The first of these results, as many as make a piece. */
export function pieceOf(results: readonly Result[]): readonly Result[] {
  let length = 0
  for (const [index, { text }] of results.entries()) {
    length += text.length
    if (length > PIECE_LENGTH) return results.slice(0, Math.max(index, 1))
  }
  return results
}

/** One result in the forms in which it leaves: made once, whoever shares it. */
export class Result {
  /** JSON. */
  readonly text: string
  #event: Uint8Array | undefined

  constructor(result: { data?: unknown; errors?: readonly GraphQLError[] }) {
    this.text = JSON.stringify(result)
  }

  /** As an event of a text/event-stream. */
  get event(): Uint8Array {
    this.#event ??= encoder.encode(`event: next\ndata: ${this.text}\n\n`)
    return this.#event
  }
}
