/** The stage of a test case: a charge point that follows a script, an operator, and the values of the bench. */

/** A JSON object as it travels on the wire. */
export type Payload = Record<string, unknown>

/** The certificate's functionalities, as its first table lists them, and what goes beyond the certificate. */
export const FUNCTIONALITIES = [
  "Core",
  "Local Auth List Management",
  "Firmware Management",
  "Reservation",
  "Remote Trigger",
  "Smart Charging",
  "Security",
  "Robustness",
] as const
export type Functionality = (typeof FUNCTIONALITIES)[number]

/** One certification test case. OCTT for OCPP 1.6, Central System under test. */
export interface Case {
  /** As in the test-case document, without the suffix that all share (`TC_001`), or of our own (`X-01`). */
  id: string
  name: string
  functionality: Functionality
  /** It passes when all of them do. */
  forms: readonly Form[]
}

/** One of the ways in which a case can be played: releases of the document differ, and an operator has a choice. */
export interface Form {
  /** Left out where there is one form only. */
  form?: string
  run(stage: Stage): Promise<void>
}

type Script = Form["run"]

/** How the cases of one functionality are written down: with one script, or with several forms. */
export const casesOf =
  (functionality: Functionality) =>
  (number: string, name: string, ...played: [Script] | Form[]): Case => ({
    id: /^\d/.test(number) ? `TC_${number}` : number,
    name,
    functionality,
    forms: played.map((script) => (typeof script === "function" ? { run: script } : script)),
  })

/** Why a case failed, in one sentence. */
export class CaseFailed extends Error {
  override readonly name = "CaseFailed"
}

/** The central system answered the upgrade request with another status than 101. */
export class Refused extends Error {
  override readonly name = "Refused"
  readonly status: number

  constructor(status: number) {
    super(`the upgrade was refused with HTTP ${status}`)
    this.status = status
  }
}

/** Fails the case unless the condition holds. @throws CaseFailed with the sentence. */
export function check(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new CaseFailed(sentence)
}

/** What a promise comes to, if it does so in time. @throws CaseFailed with the sentence when it does not. */
export async function within<Value>(ms: number, promise: Promise<Value>, sentence: string): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new CaseFailed(sentence)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** A charge point that does exactly what its script says; a CALL that the script does not expect fails the case. */
export interface ScriptedChargePoint extends AsyncDisposable {
  readonly identity: string
  /** Sends a CALL and gives back the CALLRESULT's payload. @throws CaseFailed for a CALLERROR, no answer, or one that the official schema refuses. */
  call(action: string, payload: Payload): Promise<Payload>
  /**
   * While the operator acts, waits for exactly one CALL of this action and answers it.
   * @returns the request and what the operator was told.
   */
  answering<Result>(
    action: string,
    answer: Payload | (() => Promise<Payload>),
    operatorActs: () => Promise<Result>,
  ): Promise<{ request: Payload; result: Result }>
  /** Sends a CALL that need not be valid; only for a charge point connected with `strict: false`. */
  provoke(action: string, payload: unknown): Promise<Reply>
  /** Pings the central system. Resolves with its pong. @throws CaseFailed when none comes. */
  ping(): Promise<void>
  /** The close code, once the central system closed the connection. @throws CaseFailed when it does not. */
  closed(): Promise<number>
  /** Closes the connection and opens it again; nothing is said about it. */
  reconnect(): Promise<void>
  /** Waits until nothing is on its way any more, and a while longer. @throws CaseFailed if a CALL arrived that the script did not expect. */
  settle(): Promise<void>
}

/** A CALLRESULT's payload, or the code of a CALLERROR. */
export type Reply = { payload: Payload } | { code: string }

/** How a further charge point connects; what is left out is that of a proper one. */
export interface Connecting {
  /** Left out: the charge point under test. */
  identity?: string
  password?: string
  /** Sent in place of what the password would make. */
  authorization?: string
  /** False: what the charge point sends is not held against the schemas before it leaves. */
  strict?: boolean
}

/** What the operator is told: the result's GraphQL type and its fields. */
export interface Told extends Payload {
  __typename: string
}

/** The person at the central system, who acts through the public GraphQL API only. */
export interface Operator {
  /** One of the operations the standard names, for the charge point under test: `perform("reset", { type: "HARD" })`. */
  perform(operation: string, input: Payload): Promise<Told>
  /** Any document of the API. @throws CaseFailed for GraphQL errors. */
  ask(document: string, variables?: Payload): Promise<Payload>
}

/** What the bench and the central system agreed on before the run. */
export interface BenchValues {
  /** The connector under test, and how many there are. */
  connectorId: number
  connectors: number
  validIdTag: string
  /** Two idTags of one parent, both Accepted. */
  parentIdTag: string
  childIdTag: string
  siblingIdTag: string
  unknownIdTag: string
  expiredIdTag: string
  blockedIdTag: string
  vendor: string
  model: string
  /** How long a reservation that is to expire lasts, s. */
  reservationS: number
  /** The heartbeat interval that the charge point is given, s. */
  heartbeatIntervalS: number
}

export interface Stage {
  /** Makes a charge point for the length of the case; `input` is that of createChargePoint. */
  makeChargePoint(input: Payload & { identity: string }): Promise<void>
  /** Opens a connection that lives as long as the case. @throws Refused when the upgrade is refused. */
  connect(connecting?: Connecting): Promise<ScriptedChargePoint>
  /** A text that no other run uses, to make names of. */
  readonly suffix: string
  readonly chargePoint: ScriptedChargePoint
  /** The operator of the charge point under test. */
  readonly operator: Operator
  operatorOf(identity: string): Operator
  readonly values: BenchValues
  /** Asks again until the API shows what it must. @throws CaseFailed with the sentence, and what was seen last, when it never does. */
  until(sentence: string, holds: (seen: Payload) => boolean, document: string, variables?: Payload): Promise<void>
}
