/** Every way in which a Charge Point strays from the standard and is understood all the same. */
export const deviationKinds = [
  // frames
  "empty-frame", // a text frame without text
  "unreadable-frame", // not JSON, or no OCPP-J message
  "broken-json", // a value missing after its name, or a comma too many
  "unknown-message-type",
  "numeric-unique-id",
  "long-unique-id", // over 36 characters
  "extra-elements", // more elements than the frame has
  "null-payload", // where {} is due
  "missing-payload", // a CALL or CALLRESULT that ends before it
  "unwritable-character", // NUL or half a surrogate pair, which no text on disk can hold: replaced
  "short-call-error", // without details, or without description
  "unknown-error-code",
  "late-answer", // after the timeout, or to nothing that was asked
  "repeated-unique-id", // while the first CALL is still in process
  // fields
  "extra-field",
  "field-name", // right but for its letter case
  "empty-field", // null, or "" where no text is due, for a field that may be left out
  "missing-field", // whose absence says enough
  "wrong-type", // 12 for "12", "12" for 12, and the like
  "rounded", // a fraction where a whole number is due
  "too-precise", // more decimals than allowed, kept
  "zone-missing", // taken as UTC
  "date-time-form", // an unusual way to write an instant
  "too-long", // kept whole
  "misspelled-word", // of an enumeration
  "unknown-word", // of an enumeration: replaced by what comes nearest, or left out
  "not-a-list", // one entry in place of a list of one, or the other way round
  "empty-list",
  "out-of-bounds", // beyond a bound that only the prose of the standard has, or beyond all exact integers
  "unreadable-field", // optional, and left out
  "unreadable-entry", // of a list, and left out
  "prefixed-id-tag", // a payment terminal's prefix and a semicolon before the idTag that is meant
] as const
export type DeviationKind = (typeof deviationKinds)[number]

/** One thing tolerated, for the operator to see. */
export interface Deviation {
  readonly kind: DeviationKind
  /** The message, then the field, without list positions: `MeterValues.req.meterValue[].timestamp`. Empty for frames. */
  readonly path: string
  /** What stood there, shortened for display. Never a secret. */
  readonly example: string
}

/** No deviation: shared, so that a clean message allocates nothing for it. */
export const noDeviations: readonly Deviation[] = []

const exampleLength = 120
const secret = /authorizationkey|passw|secret|token|:\/\/[^/\s]*@/i

/** How a value is shown in a deviation: as JSON, shortened, and not at all when it may hold a credential. */
export function example(value: unknown): string {
  const shown = typeof value === "string" ? value : toJson(value)
  if (secret.test(shown)) return "(not shown)"
  return shown.length > exampleLength ? `${shown.slice(0, exampleLength)}…` : shown
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    return "(nested too deeply)"
  }
}
