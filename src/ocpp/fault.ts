import * as v from "valibot"
import { OcppError, type OcppErrorCode } from "./errors.ts"
import type { Message } from "./message.ts"
import type { TextOnlyBound } from "./text-only-bounds.ts"

/** What is wrong with a payload, and how a CALLERROR says it. */
export interface Fault {
  readonly code: OcppErrorCode
  /** With list positions: `meterValue[0].timestamp`. Empty for the payload itself. */
  readonly path: string
  readonly reason: string
}

type Issue = v.BaseIssue<unknown>

/** An object as JSON means it: a list is none. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** All faults by the official schema, in the order of its fields; none when it takes the payload. */
export function findFaults({ schema, name }: Message, payload: unknown): Fault[] {
  // Not even the outer form of a request or confirmation is there. OCPP-J 1.6 §4.2.3.
  if (!isObject(payload)) return [{ code: "FormationViolation", path: "", reason: "the payload is not an object" }]
  const result = v.safeParse(schema, payload)
  return result.success ? [] : result.issues.map((issue) => toFault(issue, name))
}

/** All faults by the bounds that only the standard's text has. */
export function findBoundFaults({ bounds }: Message, payload: unknown): Fault[] {
  return bounds.flatMap((bound) => boundFaults(bound, payload, bound.path, ""))
}

/** The refusal of a payload for this fault. */
export const refusal = ({ code, path, reason }: Fault) => new OcppError(code, path ? `${path}: ${reason}` : reason)

/** `meterValue` and 0 and `timestamp` as `meterValue[0].timestamp`. */
export const joinPath = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path ? `${path}.${key}` : key

function toFault(issue: Issue, message: string): Fault {
  let path = ""
  for (const { key } of issue.path ?? []) path = joinPath(path, typeof key === "number" ? key : String(key))
  return { path, ...explain(issue, message) }
}

/** Which check failed, and so which code. */
function explain(issue: Issue, message: string): Omit<Fault, "path"> {
  const last = issue.path?.at(-1)
  if (last && "origin" in last && last.origin === "key") {
    if (issue.expected === "never") return { code: "FormationViolation", reason: `not a field of ${message}` }
    return { code: "ProtocolError", reason: "missing" }
  }
  switch (issue.type) {
    case "check":
      return { code: "PropertyConstraintViolation", reason: issue.message }
    case "min_length":
      return { code: "OccurenceConstraintViolation", reason: "an empty list" }
    case "picklist":
      if (typeof issue.input === "string") {
        return { code: "PropertyConstraintViolation", reason: `none of ${issue.expected?.replaceAll('"', "")}` }
      }
      return { code: "TypeConstraintViolation", reason: "not a string" }
    case "integer":
      return { code: "TypeConstraintViolation", reason: "not a whole number" }
    case "custom":
    case "strict_object":
      return { code: "TypeConstraintViolation", reason: "not an object" }
    case "array":
      return { code: "TypeConstraintViolation", reason: "not a list" }
    default:
      return { code: "TypeConstraintViolation", reason: `not a ${issue.type}` }
  }
}

function boundFaults(bound: TextOnlyBound, value: unknown, [step, ...rest]: readonly string[], path: string): Fault[] {
  if (step === "[]") {
    if (!Array.isArray(value)) return []
    return value.flatMap((entry: unknown, position) => boundFaults(bound, entry, rest, joinPath(path, position)))
  }
  if (step !== undefined) {
    return isObject(value) ? boundFaults(bound, value[step], rest, joinPath(path, step)) : []
  }
  if (typeof value === "number" && bound.minimum !== undefined && value < bound.minimum) {
    return [{ code: "PropertyConstraintViolation", path, reason: `less than ${bound.minimum} (${bound.clause})` }]
  }
  if (Array.isArray(value) && bound.minItems !== undefined && value.length < bound.minItems) {
    return [{ code: "OccurenceConstraintViolation", path, reason: `an empty list (${bound.clause})` }]
  }
  return []
}
