/** What a case expects of a CALL of the central system, and of what the operator is told. */
import { check } from "./stage.ts"
import type { Payload, Stage, Told } from "./stage.ts"

/** The operator's result must be the charge point's own answer. */
function told(result: Told, action: string, answered: string): void {
  check(
    result.__typename === `${action}Confirmation` && result["status"] === wordOf(answered),
    `the operator was told ${JSON.stringify(result)}, not ${action}Confirmation with ${wordOf(answered)}`,
  )
}

/** The request must have exactly these fields. */
export function sent(request: Payload, expected: Payload): void {
  check(
    Bun.deepEquals(request, expected, true),
    `the request was ${JSON.stringify(request)}, not ${JSON.stringify(expected)}`,
  )
}

/** An enum word of the standard as the API spells it: `NotSupported` is `NOT_SUPPORTED`. */
export const wordOf = (word: string): string => word.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase()

/** An operation, what the charge point answers to it, and what must be on the wire. */
export interface Wish {
  /** What the operator enters; by default what must be on the wire. */
  input?: Payload
  /** The request, to the field; left out: the case looks at it itself. */
  request?: Payload
  answer: Payload
}

/**
 * The operator asks for an action of the standard, by its name. One CALL must arrive, and its answer must be what the
 * operator is told.
 */
export async function operate(
  stage: Pick<Stage, "chargePoint" | "operator">,
  action: string,
  { request, input = request ?? {}, answer }: Wish,
): Promise<{ request: Payload; result: Told }> {
  const operation = action.charAt(0).toLowerCase() + action.slice(1)
  const outcome = await stage.chargePoint.answering(action, answer, () => stage.operator.perform(operation, input))
  if (request) sent(outcome.request, request)
  const { status } = answer
  if (typeof status === "string") told(outcome.result, action, status)
  else
    check(
      outcome.result.__typename === `${action}Confirmation`,
      `the operator was told ${JSON.stringify(outcome.result)}, not ${action}Confirmation`,
    )
  return outcome
}
