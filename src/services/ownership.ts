/** What a service meets when the charge point has moved on to a newer socket. */
import type { Superseded } from "../facts/outcomes.ts"

/** The socket that a message came through is no longer the charge point's: it is closed, and the message unanswered. */
export class OwnershipLost extends Error {
  override readonly name = "OwnershipLost"

  constructor() {
    super("the charge point is on a newer socket")
  }
}

/** The outcome of a change that only the owner may make. @throws OwnershipLost */
export function held<Outcome extends object>(outcome: Outcome | Superseded): Outcome {
  if ("superseded" in outcome) throw new OwnershipLost()
  return outcome
}
