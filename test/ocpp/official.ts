// The official JSON schemas as ocpp-rpc ships and judges them, and payloads made from them: our yardstick, not our code.
import { readFileSync } from "node:fs"
import fc from "fast-check"
import standardValidators from "ocpp-rpc/lib/standard-validators.js"

interface OfficialSchema {
  $ref?: string
  type?: string
  properties?: Record<string, OfficialSchema>
  required?: string[]
  items?: OfficialSchema
  minItems?: number
  enum?: string[]
  maxLength?: number
  format?: string
  multipleOf?: number
  definitions?: Record<string, OfficialSchema>
}

// Read as text: imported, the list would reach ocpp-rpc, which requires it, in another form.
const schemas = JSON.parse(
  readFileSync(new URL(import.meta.resolve("ocpp-rpc/lib/schemas/ocpp1_6.json")), "utf8"),
) as (OfficialSchema & { $id: string })[]
const byId = new Map(schemas.map((schema) => [schema.$id, schema]))

/** `BootNotification.req` and so on. */
export const officialMessages = [...byId.keys()].map((id) => id.replace("urn:", ""))

const validator = standardValidators.find(({ subprotocol }) => subprotocol === "ocpp1.6")!

/** The official verdict. */
export function isOfficial(message: string, payload: unknown): boolean {
  try {
    validator.validate(`urn:${message}`, payload)
    return true
  } catch {
    return false
  }
}

export type Json = null | boolean | number | string | Json[] | { [field: string]: Json }

/** Payloads the official schema takes. */
export function validPayload(message: string): fc.Arbitrary<Json> {
  const root = byId.get(`urn:${message}`)!
  return fromSchema(root, root)
}

/** Payloads with one thing changed somewhere: some stay valid, most do not. */
export function mutatedPayload(message: string): fc.Arbitrary<Json> {
  return fc
    .tuple(validPayload(message), fc.nat(), damage)
    .map(([payload, seed, { apply }]) => JSON.parse(apply(payload, seed)) as Json)
}

function fromSchema(schema: OfficialSchema, root: OfficialSchema): fc.Arbitrary<Json> {
  if (schema.$ref) return fromSchema(root.definitions![schema.$ref.split("/").at(-1)!]!, root)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([name, property]) => [name, fromSchema(property, root)]),
        ),
        { requiredKeys: schema.required ?? [], noNullPrototype: true },
      )
    case "array":
      return fc.array(fromSchema(schema.items!, root), { minLength: schema.minItems ?? 0, maxLength: 3 })
    case "integer":
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 40))
    case "number":
      return fc.integer({ min: -100_000, max: 1_000_000 }).map((tenths) => tenths / 10)
    case "boolean":
      return fc.boolean()
    default:
      if (schema.format === "date-time") return dateTime
      if (schema.format === "uri")
        return fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), oddUri)
      return fc
        .string({ unit: "binary", maxLength: Math.min(schema.maxLength ?? 40, 300) })
        .map((text) => (schema.maxLength === undefined ? text : [...text].slice(0, schema.maxLength).join("")))
  }
}

const oddUri = fc.constantFrom(
  "ftp://user:p%40ss@[::1]:21/logs/",
  "ftp://192.0.2.1",
  "sftp://host/a%20b?x=1#y",
  "file:///var/log",
  "mailto:a@example.org",
)

const dateTime = fc
  .record({
    date: fc.date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true }),
    separator: fc.constantFrom("T", "T", "t", " "),
    fraction: fc.constantFrom("", ".0", ".123", ".123456789"),
    zone: fc.constantFrom("Z", "Z", "z", "", "+02:00", "-0530", "+14", "+99:99"),
  })
  .map(({ date, separator, fraction, zone }) => {
    const [day = "", time = ""] = date.toISOString().split("T")
    return `${day}${separator}${time.slice(0, 8)}${fraction}${zone}`
  })

const strange: readonly string[] = [
  ...[
    "null",
    "true",
    "12",
    "-1",
    "0",
    "1.5",
    "0.15",
    "21.4",
    "1e300",
    "1e999",
    "12.0",
    '""',
    '"x"',
    '"12"',
    '"Accepted"',
    '"accepted"',
  ],
  ...[
    "[]",
    "{}",
    "[{}]",
    "[[]]",
    '["x"]',
    `"${"é".repeat(60)}"`,
    `"${"😀".repeat(11)}"`,
    `"${"a".repeat(21)}"`,
    `"${"x".repeat(11_000)}"`,
  ],
  ...[
    '"2024-02-30T00:00:00Z"',
    '"2024-02-29T23:59:60Z"',
    '"2024-02-29T12:00:60Z"',
    '"2024-02-29"',
    '"2024-02-29T24:00:00Z"',
  ],
  ...['"http://a b"', '"example.org/x"', '"http:"', '"http://[1]/"', '"ftp://x/%zz"'],
]

interface Damage {
  /** The damaged payload as JSON, so that what only text can say (1e999, __proto__) gets in. */
  readonly apply: (payload: Json, seed: number) => string
}

const hole = "\u0000hole\u0000"

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.constantFrom(...strange).map((text) => ({
    apply: (payload: Json, seed: number) =>
      replace(payload, seed, () => hole).replace(JSON.stringify(hole), () => text),
  })),
  fc.constant({ apply: (payload: Json, seed: number) => replace(payload, seed, () => undefined) }),
  fc.constantFrom("extra", "idtag", "toString", "constructor", "__proto__").map((name) => ({
    apply: (payload: Json, seed: number) =>
      replace(payload, seed, (value) => (isObject(value) ? { ...value, [hole]: 1 } : value)).replace(
        JSON.stringify(hole),
        () => JSON.stringify(name),
      ),
  })),
  fc.constant({ apply: (payload: Json, seed: number) => replace(payload, seed, (value) => [value]) }),
)

const isObject = (value: Json): value is { [field: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The payload as JSON, with the value at one place changed; undefined takes it away. */
function replace(payload: Json, seed: number, change: (value: Json) => Json | undefined): string {
  const places: (() => void)[] = []
  let root = payload
  places.push(() => {
    root = change(payload) ?? null
  })
  const visit = (value: Json) => {
    if (Array.isArray(value)) {
      value.forEach((entry, index) => {
        places.push(() => {
          const changed = change(entry)
          if (changed === undefined) value.splice(index, 1)
          else value[index] = changed
        })
        visit(entry)
      })
    } else if (isObject(value)) {
      for (const [field, entry] of Object.entries(value)) {
        places.push(() => {
          const changed = change(entry)
          if (changed === undefined) delete value[field]
          else value[field] = changed
        })
        visit(entry)
      }
    }
  }
  visit(payload)
  places[seed % places.length]!()
  return JSON.stringify(root)
}
