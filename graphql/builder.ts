/** GraphQL, the product's face: types, operations and live changes over HTTP, SSE and WebSocket. Here: what all types are built with. */
import SchemaBuilder from "@pothos/core"
import RelayPlugin from "@pothos/plugin-relay"
import type { Context } from "./context.ts"

interface Types {
  Context: Context
  Scalars: {
    ID: { Input: string; Output: string | number }
    /** Epoch ms inside, ISO 8601 outside. */
    DateTime: { Input: number; Output: number }
    JSON: { Input: unknown; Output: unknown }
    Cursor: { Input: string; Output: string }
  }
  /** Only some lists can be counted. */
  Connection: { count?: () => Promise<number> }
  DefaultFieldNullability: false
  DefaultEdgesNullability: { list: false; items: false }
  DefaultNodeNullability: false
}

/** Fields are there unless they say that they may be null. */
export const builder = new SchemaBuilder<Types>({
  plugins: [RelayPlugin],
  defaultFieldNullability: false,
  relay: {
    cursorType: "String",
    edgesFieldOptions: { nullable: { list: false, items: false }, description: "The rows with their cursors." },
    nodeFieldOptions: { nullable: false, description: "The row." },
    cursorFieldOptions: { description: "Names this row's place in the list; opaque." },
    pageInfoFieldOptions: { description: "Where the page lies in the list." },
    pageInfoTypeOptions: { description: "Where a page lies in its list." },
    hasNextPageFieldOptions: { description: "Whether rows follow after this page." },
    hasPreviousPageFieldOptions: { description: "Whether rows come before this page." },
    startCursorFieldOptions: { description: "The cursor of the first row; null on an empty page." },
    endCursorFieldOptions: { description: "The cursor of the last row; null on an empty page." },
    firstArgOptions: {
      description: "How many rows from the beginning; 100 when neither first nor last is given, at most 500.",
    },
    afterArgOptions: { description: "Only rows after this cursor." },
    lastArgOptions: { description: "How many rows from the end, at most 500; not together with first." },
    beforeArgOptions: { description: "Only rows before this cursor." },
    nodeTypeOptions: { description: "Anything that can be asked for again by its id alone." },
    idFieldOptions: { description: "Globally unique; opaque." },
    nodeQueryOptions: {
      description: "Whatever has this id; null where the viewer's organisation has nothing of this id (any more).",
      args: { id: { description: "As given by the id field of any type that implements Node." } },
    },
    nodesQueryOptions: false,
  },
})

/** The types the builder works with, for functions that take its references. */
export type BuilderTypes = typeof builder.$inferSchemaTypes

builder.queryType({ description: "What is known now. Every field needs a token of at least role VIEWER." })
builder.mutationType({
  description:
    "What can be changed or asked of a charge point. Every mutation takes one input and returns a union of its success and typed errors.",
})
builder.subscriptionType({
  description:
    "What happens, over SSE or graphql-transport-ws: from now on, or behind a cursor, or beginning with what is there. Every change of a charge point comes once and in order. One that fails tells its failure as its last result and is complete; extensions.code says what to do: CURSOR_EXPIRED: ask anew with snapshot: true; LAGGING: the changes came faster than they were read, go on with after; FORBIDDEN: the token has expired or was revoked; UNAVAILABLE: try again in a moment.",
})
