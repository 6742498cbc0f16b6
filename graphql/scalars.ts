import { GraphQLError, GraphQLInt, Kind, type ValueNode } from "graphql"
import { builder } from "./builder.ts"

const ISO_8601 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

function readInstant(value: unknown): number {
  const day = typeof value === "string" ? ISO_8601.exec(value)?.[1] : undefined
  const instant = day !== undefined && isDay(day) ? Date.parse(String(value)) : Number.NaN
  if (Number.isNaN(instant)) throw new GraphQLError("a DateTime is text like 2025-01-31T08:15:00Z, with its zone")
  return instant
}

/** February 30 would be taken for March 2. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

builder.scalarType("DateTime", {
  description:
    "An instant in ISO 8601, given in UTC: 2025-01-31T08:15:00.000Z. As an input any zone may be named, but one must.",
  serialize: (value) => new Date(value).toISOString(),
  parseValue: readInstant,
  parseLiteral: (node) => readInstant(node.kind === Kind.STRING ? node.value : undefined),
})

/** Text in a list or object literal is only text: JSON has no enum words and no variables of its own. */
function readLiteral(node: ValueNode): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, readLiteral(value)]))
    case Kind.LIST:
      return node.values.map(readLiteral)
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value
    case Kind.NULL:
      return null
    default:
      throw new GraphQLError("a JSON literal holds objects, lists, text, numbers, true, false and null")
  }
}

builder.scalarType("JSON", {
  description: "Any JSON value: what a message carried, as it came.",
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: readLiteral,
})

function readCursor(value: unknown): string {
  if (typeof value !== "string" || value === "")
    throw new GraphQLError("a Cursor is text that an earlier change carried")
  return value
}

builder.scalarType("Cursor", {
  description: "Names one change in the story; opaque. Given back as `after` it continues behind that change.",
  serialize: (value) => value,
  parseValue: readCursor,
  parseLiteral: (node) => readCursor(node.kind === Kind.STRING ? node.value : undefined),
})

// OCPP's integers have no bounds, and the register of a busy site outgrows 32 bits. Such a number is shown as it was
// reported; GraphQL's own Int fails there, and takes the whole list down with it. Inputs keep to 32 bits.
const within32Bits = GraphQLInt.serialize
GraphQLInt.serialize = (value) => (Number.isInteger(value) ? Number(value) : within32Bits(value))
GraphQLInt.coerceOutputValue = GraphQLInt.serialize
