import type { GraphQLError } from "graphql"

const encoder = new TextEncoder()

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
