/** The codes of a CALLERROR, in the spelling the standard keeps for 1.6. OCPP-J 1.6 §4.2.3, errata §5.1, §5.2. */
export const ocppErrorCodes = [
  "NotImplemented",
  "NotSupported",
  "InternalError",
  "ProtocolError",
  "SecurityError",
  "FormationViolation",
  "PropertyConstraintViolation",
  "OccurenceConstraintViolation",
  "TypeConstraintViolation",
  "GenericError",
] as const
export type OcppErrorCode = (typeof ocppErrorCodes)[number]

// What later versions, and some Charge Points already, write instead.
const correctedSpellings = new Map<string, OcppErrorCode>([
  ["FormatViolation", "FormationViolation"],
  ["OccurrenceConstraintViolation", "OccurenceConstraintViolation"],
])

const codes: ReadonlySet<string> = new Set(ocppErrorCodes)

const isOcppErrorCode = (code: string): code is OcppErrorCode => codes.has(code)

/** The code a received text means, also in its corrected spelling; undefined when it is none of 1.6. */
export function readErrorCode(text: string): OcppErrorCode | undefined {
  return isOcppErrorCode(text) ? text : correctedSpellings.get(text)
}

/** A refusal that leaves as a CALLERROR. What it says reaches the peer: it names fields, never secrets or faults of ours. */
export class OcppError extends Error {
  override readonly name = "OcppError"

  readonly code: OcppErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: OcppErrorCode,
    description = "",
    options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(description, "cause" in options ? { cause: options.cause } : undefined)
    this.code = code
    this.details = options.details ?? {}
  }

  /** What the peer reads beside the code; may be empty. */
  get description(): string {
    return this.message
  }

  /** An OcppError as it is; anything else as an InternalError whose text stays with us, as its cause. */
  static from(cause: unknown): OcppError {
    return cause instanceof OcppError ? cause : new OcppError("InternalError", "", { cause })
  }
}
