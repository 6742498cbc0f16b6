import { readDateTime } from "./date-time.ts"
import { type Deviation, type DeviationKind, example } from "./deviation.ts"
import { changesMeaning, meantWord, unknownWord } from "./enum-words.ts"
import { isObject, joinPath } from "./fault.ts"
import type { JsonSchema, Message } from "./message.ts"
import { fits, isTenths } from "./types.ts"

/** What a payload meant; or, when that stays unclear, the place (with list positions) where understanding ended. */
export type Mended =
  | { readonly understood: true; readonly payload: unknown; readonly deviations: readonly Deviation[] }
  | { readonly understood: false; readonly path: string; readonly deviations: readonly Deviation[] }

/**
 * Understands what can be understood of a payload that is not spotless, and notes every deviation. Text stays whole and numbers
 * stay as they are even where they break a bound, but for integers that are too large to be exact: they become the largest. The payload given is not touched.
 */
export function mend(message: Message, payload: unknown): Mended {
  const mending = new Mending(message.name)
  try {
    const mended = mending.value(message.jsonSchema, payload, "")
    return { understood: true, payload: mended, deviations: mending.deviations }
  } catch (cause) {
    if (cause instanceof Unreadable) return { understood: false, path: cause.path, deviations: mending.deviations }
    throw cause
  }
}

/** Understanding ended here; whoever can do without this part catches it. */
class Unreadable extends Error {
  readonly path: string
  constructor(path: string) {
    super(path)
    this.path = path
  }
}

/** Stands for an entry that would say something else than its sender meant. */
const leftOut = Symbol("left out")

const numeral = /^\s*[+-]?\d+(?:[.,]\d+)?\s*$/

// A schedule without one of its periods would be another schedule.
const listsOfParts: ReadonlySet<string> = new Set(["chargingSchedulePeriod"])

// What a required field says by being missing: no limit to report, no word against writing.
const whenMissing: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  ["chargingSchedulePeriod", () => []],
  ["readonly", () => false],
])

// Enough to see what is wrong, however many entries repeat it.
const mostDeviations = 32

// What a configuration key holds, or a vendor sends, may be a credential.
const maybeSecret = /\.configurationKey\[\]\.value$|^DataTransfer\.(?:req|conf)\.data$/

class Mending {
  readonly deviations: Deviation[] = []
  readonly #message: string

  constructor(message: string) {
    this.#message = message
  }

  value(schema: JsonSchema, value: unknown, path: string): unknown {
    switch (schema.type) {
      case "object":
        return this.#object(schema, value, path)
      case "array":
        return this.#list(schema, value, path)
      case "integer":
      case "number":
        return this.#number(schema, value, path)
      case "boolean":
        return this.#boolean(value, path)
      default:
        if (schema.enum) return this.#word(schema.enum, value, path)
        return schema.format === "date-time" ? this.#dateTime(value, path) : this.#text(schema, value, path)
    }
  }

  #note(kind: DeviationKind, path: string, value: unknown): void {
    const general = this.#general(path)
    const { deviations } = this
    if (deviations.length >= mostDeviations) return
    if (deviations.some((noted) => noted.kind === kind && noted.path === general)) return
    deviations.push({ kind, path: general, example: maybeSecret.test(general) ? `(${typeof value})` : example(value) })
  }

  #general(path: string): string {
    return joinPath(this.#message, path.replace(/\[\d+\]/g, "[]"))
  }

  #object(schema: JsonSchema, written: unknown, path: string): unknown {
    const inList = Array.isArray(written) && written.length === 1 && path !== ""
    if (inList) this.#note("not-a-list", path, written)
    const source: unknown = inList ? written[0] : written
    if (!isObject(source)) throw new Unreadable(path)
    const properties = schema.properties ?? {}
    const fields = this.#fields(properties, source, path)
    const mended: Record<string, unknown> = {}
    const lost: string[] = []
    for (const [name, property] of Object.entries(properties)) {
      const at = joinPath(path, name)
      const value = fields.get(name)
      if (schema.required?.includes(name)) {
        mended[name] = this.#required(property, value, at, name)
      } else if (value !== undefined && !this.#isEmptyField(property, value, at)) {
        const understood = this.#optional(property, value, at)
        if (understood === undefined) lost.push(name)
        else mended[name] = understood
      }
    }
    return changesMeaning(lost, mended) ? leftOut : mended
  }

  /** The fields by their right names; a name nobody knows is left behind. */
  #fields(properties: Record<string, JsonSchema>, source: Record<string, unknown>, path: string): Map<string, unknown> {
    const fields = new Map<string, unknown>()
    for (const [written, value] of Object.entries(source)) {
      if (Object.hasOwn(properties, written)) {
        fields.set(written, value)
        continue
      }
      const name = Object.keys(properties).find((property) => property.toLowerCase() === written.toLowerCase())
      if (name !== undefined && !Object.hasOwn(source, name)) {
        fields.set(name, value)
        this.#note("field-name", joinPath(path, name), written)
      } else {
        this.#note("extra-field", joinPath(path, example(written)), value)
      }
    }
    return fields
  }

  #required(schema: JsonSchema, value: unknown, path: string, name: string): unknown {
    if (value !== undefined && value !== null) return this.value(schema, value, path)
    const meant = whenMissing.get(name)
    if (!meant) throw new Unreadable(path)
    this.#note("missing-field", path, value)
    return meant()
  }

  #isEmptyField(schema: JsonSchema, value: unknown, path: string): boolean {
    const isText = schema.type === "string" && !schema.enum && !schema.format
    const empty = value === null || (value === "" && !isText)
    if (empty) this.#note("empty-field", path, value)
    return empty
  }

  /** Undefined when the field cannot be read: no message is lost for something it could have left out. */
  #optional(schema: JsonSchema, value: unknown, path: string): unknown {
    const noted = this.deviations.length
    try {
      return this.value(schema, value, path)
    } catch (cause) {
      if (!(cause instanceof Unreadable)) throw cause
      this.deviations.length = noted
      this.#note("unreadable-field", path, value)
      return undefined
    }
  }

  #list(schema: JsonSchema, written: unknown, path: string): unknown {
    if (!Array.isArray(written)) this.#note("not-a-list", path, written)
    const values: readonly unknown[] = Array.isArray(written) ? written : [written]
    if (values.length === 0 && schema.minItems !== undefined) this.#note("empty-list", path, values)
    const mended: unknown[] = []
    const unreadable: { cause: Unreadable; value: unknown }[] = []
    for (const [position, value] of values.entries()) {
      const noted = this.deviations.length
      try {
        const entry = this.value(schema.items ?? {}, value, joinPath(path, position))
        if (entry === leftOut) this.#note("unreadable-entry", joinPath(path, position), value)
        else if (!isReadingOfNothing(entry)) mended.push(entry)
      } catch (cause) {
        if (!(cause instanceof Unreadable)) throw cause
        this.deviations.length = noted
        unreadable.push({ cause, value })
      }
    }
    // One entry that makes no sense must not lose the others; but where none does, the list says nothing.
    const [first] = unreadable
    if (first && (unreadable.length === values.length || listsOfParts.has(lastName(path)))) throw first.cause
    for (const { value } of unreadable) this.#note("unreadable-entry", joinPath(path, 0), value)
    return mended
  }

  #number(schema: JsonSchema, written: unknown, path: string): number {
    const value = this.#asNumber(written, path)
    if (schema.type === "integer" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      this.#note("out-of-bounds", path, written)
      return Math.sign(value) * Number.MAX_SAFE_INTEGER
    }
    if (!Number.isFinite(value)) throw new Unreadable(path)
    if (schema.multipleOf !== undefined && !isTenths(value)) this.#note("too-precise", path, written)
    if (schema.minimum !== undefined && value < schema.minimum) this.#note("out-of-bounds", path, written)
    if (schema.type !== "integer" || Number.isInteger(value)) return value
    // Half of a number of things is near enough; half of a name is another name.
    if (path.endsWith("Id")) throw new Unreadable(path)
    this.#note("rounded", path, written)
    return Math.round(value)
  }

  #asNumber(written: unknown, path: string): number {
    if (typeof written === "number" && Number.isFinite(written)) return written
    if (typeof written !== "string" || !numeral.test(written)) throw new Unreadable(path)
    this.#note("wrong-type", path, written)
    return Number(written.replace(",", "."))
  }

  #boolean(written: unknown, path: string): boolean {
    if (typeof written === "boolean") return written
    const word = typeof written === "object" ? "" : String(written).trim().toLowerCase()
    const yes = word === "true" || word === "1"
    if (!yes && word !== "false" && word !== "0") throw new Unreadable(path)
    this.#note("wrong-type", path, written)
    return yes
  }

  #text(schema: JsonSchema, written: unknown, path: string): string {
    const value = this.#asText(written, path)
    if (schema.maxLength !== undefined && !fits(value, schema.maxLength)) this.#note("too-long", path, value)
    return value
  }

  #asText(written: unknown, path: string): string {
    if (typeof written === "string") return written
    if (typeof written === "number" || typeof written === "boolean") {
      this.#note("wrong-type", path, written)
      return String(written)
    }
    // Vendors put their JSON where its text should stand.
    if (!isObject(written) || !maybeSecret.test(this.#general(path))) throw new Unreadable(path)
    this.#note("wrong-type", path, written)
    return JSON.stringify(written)
  }

  #dateTime(written: unknown, path: string): string {
    const instant = typeof written === "string" ? readDateTime(written) : undefined
    if (!instant) throw new Unreadable(path)
    if (instant.zoneMissing) this.#note("zone-missing", path, written)
    else if (instant.value !== written) this.#note("date-time-form", path, written)
    return instant.value
  }

  /** Undefined when the field is better left out. */
  #word(options: readonly string[], written: unknown, path: string): string | undefined {
    if (typeof written !== "string") throw new Unreadable(path)
    if (options.includes(written)) return written
    const general = this.#general(path)
    const field = lastName(path)
    const meant = meantWord(options, general, field, written)
    const instead = meant === undefined ? unknownWord(field) : meant
    if (instead === undefined) throw new Unreadable(path)
    this.#note(meant === undefined ? "unknown-word" : "misspelled-word", path, written)
    return instead ?? undefined
  }
}

const isReadingOfNothing = (entry: unknown) =>
  isObject(entry) && Array.isArray(entry["sampledValue"]) && entry["sampledValue"].length === 0

const lastName = (path: string) => path.slice(path.lastIndexOf(".") + 1).replace(/\[\d*\]$/, "")
