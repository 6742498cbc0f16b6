/**
 * What statements are given on PostgreSQL: each column of the rows of parameters as one array, in PostgreSQL's binary
 * form. As text every quote of the JSON that most of it is would have to be escaped here and unescaped there.
 */
import type { Value } from "../tables.ts"

/** The kinds of arrays that statements ask for, as they write them, and the object ids of their elements' types. */
const ELEMENTS = { text: 25, bigint: 20, "double precision": 701 } as const
type Element = keyof typeof ELEMENTS

const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const NUMBER_BYTES = 8
/** A character of a JavaScript string takes no more in UTF-8. */
const BYTES_PER_CHARACTER = 3
const TWO_TO_32 = 2 ** 32

const elementsOf = new Map<string, readonly Element[]>()

/** The parameters of a statement with this text: an array for each of its columns. */
export function arraysOf(text: string, rows: readonly (readonly Value[])[]): Buffer[] {
  const elements = elementsOf.get(text) ?? readElements(text)
  elementsOf.set(text, elements)
  return elements.map((element, column) => arrayOf(element, rows, column))
}

/** What each parameter is, as the text says where it names it first: `$2::bigint[]`. */
function readElements(text: string): Element[] {
  const elements: Element[] = []
  for (const [, number, element] of text.matchAll(/\$(\d+)::(text|bigint|double precision)\[\]/g))
    elements[Number(number) - 1] ??= element as Element
  return elements
}

function arrayOf(element: Element, rows: readonly (readonly Value[])[], column: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOf(element, rows, column))
  // One dimension, which may hold nulls, of so many elements, counted from 1.
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(1, 4)
  bytes.writeInt32BE(ELEMENTS[element], 8)
  bytes.writeInt32BE(rows.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = HEADER_BYTES
  for (const row of rows) {
    const value = row[column] ?? null
    const length = value === null ? -1 : write(bytes, element, value, at + LENGTH_BYTES)
    bytes.writeInt32BE(length, at)
    at += LENGTH_BYTES + Math.max(0, length)
  }
  return bytes.subarray(0, at)
}

/** No less than what the array takes. */
function sizeOf(element: Element, rows: readonly (readonly Value[])[], column: number): number {
  if (element !== "text") return HEADER_BYTES + rows.length * (LENGTH_BYTES + NUMBER_BYTES)
  let characters = 0
  for (const row of rows) characters += String(row[column] ?? "").length
  return HEADER_BYTES + rows.length * LENGTH_BYTES + characters * BYTES_PER_CHARACTER
}

/** Gives how many bytes it took. */
function write(bytes: Buffer, element: Element, value: string | number, at: number): number {
  if (element === "text") return bytes.write(String(value), at)
  if (element === "bigint") {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is no integer that can be stored`)
    bytes.writeInt32BE(Math.floor(number / TWO_TO_32), at)
    bytes.writeUInt32BE(number >>> 0, at + 4)
  } else bytes.writeDoubleBE(Number(value), at)
  return NUMBER_BYTES
}
