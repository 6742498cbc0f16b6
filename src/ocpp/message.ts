import { toJsonSchema } from "@valibot/to-json-schema"
import { Ajv, type ValidateFunction } from "ajv"
import type { PayloadSchema } from "./action.ts"
import { isDateTime, isUsualDateTime } from "./date-time.ts"
import { fromCentralSystem, fromChargePoint } from "./index.ts"
import { type TextOnlyBound, textOnlyBounds } from "./text-only-bounds.ts"
import { isTenths } from "./types.ts"
import { isUri } from "./uri.ts"

/** As much of JSON Schema as our messages use. */
export interface JsonSchema {
  type?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean
  items?: JsonSchema
  enum?: string[]
  format?: string
  maxLength?: number
  multipleOf?: number
  minimum?: number
  maximum?: number
  minItems?: number
}

function compiler(isDateTimeFormat: (text: string) => boolean): Ajv {
  const ajv = new Ajv({ strict: true })
  ajv.addFormat("date-time", { type: "string", validate: isDateTimeFormat })
  ajv.addFormat("uri", { type: "string", validate: isUri })
  ajv.removeKeyword("multipleOf")
  ajv.addKeyword({ keyword: "multipleOf", type: "number", validate: (_step: number, value: number) => isTenths(value) })
  return ajv
}

const officialCompiler = compiler(isDateTime)
const spotlessCompiler = compiler(isUsualDateTime)

/** One direction of an action, with its two compiled forms. Each is compiled when first asked for, and once. */
export class Message {
  /** As the standard writes it: `BootNotification.req`. */
  readonly name: string
  readonly schema: PayloadSchema
  readonly bounds: readonly TextOnlyBound[]
  #jsonSchema?: JsonSchema
  #official?: ValidateFunction
  #spotless?: ValidateFunction

  constructor(name: string, schema: PayloadSchema) {
    this.name = name
    this.schema = schema
    this.bounds = textOnlyBounds.filter((bound) => bound.message === name)
  }

  /** The schema in JSON Schema, with the text-only bounds. */
  get jsonSchema(): JsonSchema {
    this.#jsonSchema ??= withBounds(toPlainJsonSchema(this.schema), this.bounds)
    return this.#jsonSchema
  }

  /** Whether the official JSON schema takes this payload. */
  isOfficial(payload: unknown): boolean {
    this.#official ??= officialCompiler.compile(toPlainJsonSchema(this.schema))
    return this.#official(payload)
  }

  /**
   * Whether this payload needs no second look: official, within the text-only bounds, every instant in its usual form, and
   * no integer beyond those that are exact everywhere (RFC 8259 §6).
   */
  isSpotless(payload: unknown): boolean {
    this.#spotless ??= spotlessCompiler.compile(withSafeIntegers(this.jsonSchema))
    return this.#spotless(payload)
  }
}

function toPlainJsonSchema(schema: PayloadSchema): JsonSchema {
  // Beside every check stands the keyword that says the same.
  const { $schema: _, ...plain } = toJsonSchema(schema, { typeMode: "output", ignoreActions: ["check"] })
  return plain as JsonSchema
}

function withBounds(schema: JsonSchema, bounds: readonly TextOnlyBound[]): JsonSchema {
  for (const { path, minimum, minItems } of bounds) {
    let bounded: JsonSchema | undefined = schema
    for (const step of path) bounded = step === "[]" ? bounded?.items : bounded?.properties?.[step]
    if (!bounded) throw new Error(`text-only bound on an unknown field: ${path.join(".")}`)
    if (minimum !== undefined) bounded.minimum = minimum
    if (minItems !== undefined) bounded.minItems = minItems
  }
  return schema
}

function withSafeIntegers(schema: JsonSchema): JsonSchema {
  const { properties = {}, items } = schema
  const bounds = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
  return {
    ...(schema.type === "integer" && bounds),
    ...schema,
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, withSafeIntegers(each)])),
    }),
    ...(items && { items: withSafeIntegers(items) }),
  }
}

const actions = { ...fromChargePoint, ...fromCentralSystem }

/** Every action of the standard, from whichever side it comes. */
export type ActionName = keyof typeof actions

const requests = new Map<string, Message>()
const confirmations = new Map<string, Message>()
for (const { name, request, confirmation } of Object.values(actions)) {
  requests.set(name, new Message(`${name}.req`, request))
  confirmations.set(name, new Message(`${name}.conf`, confirmation))
}

const known = (messages: Map<string, Message>, action: ActionName): Message => {
  const message = messages.get(action)
  if (!message) throw new Error(`not an action of OCPP 1.6: ${action}`)
  return message
}

/** What is asked with this action. */
export const requestMessage = (action: ActionName): Message => known(requests, action)

/** What is answered to this action. */
export const confirmationMessage = (action: ActionName): Message => known(confirmations, action)
