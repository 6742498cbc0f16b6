/** The charge points on this node's line: one line each, the newest. */
import type { ConfirmationOf, RequestOf } from "../ocpp/action.ts"
import type { CallOptions } from "../ocpp/call-queue.ts"
import type { CentralSystemActionName, FromCentralSystem } from "../ocpp/index.ts"
import type { DisconnectReason } from "./ports.ts"

/** Why Busbar ends a line; the gateway has a close code for each. */
export type HangUpReason = DisconnectReason | "Superseded" | "Stopping" | "StoreUnavailable"

/** A charge point that can be spoken to: its open socket, seen from the services. */
export interface Line {
  readonly chargePointId: string
  readonly organisationId: string
  readonly identity: string
  /** The ownership under which the socket is held; grows when it is claimed anew. */
  readonly epoch: number
  /** When anything was last heard from it, ms. */
  readonly lastSeenAt: number
  /** Sends a CALL after those asked before it; fails as `Conversation.call` does. The request has to be checked before. */
  call<A extends CentralSystemActionName>(
    action: A,
    request: RequestOf<FromCentralSystem[A]>,
    options: CallOptions,
  ): Promise<ConfirmationOf<FromCentralSystem[A]>>
  /** Closes the socket; CALLs of ours that wait for an answer fail. */
  close(reason: HangUpReason): void
}

export class Lines {
  readonly #lines = new Map<string, Line>()

  get(chargePointId: string): Line | undefined {
    return this.#lines.get(chargePointId)
  }

  /** Takes the place of an older line, which comes back to be closed. A line that is itself too old comes back at once. */
  add(line: Line): Line | undefined {
    const other = this.#lines.get(line.chargePointId)
    if (other !== undefined && other.epoch > line.epoch) return line
    this.#lines.set(line.chargePointId, line)
    return other
  }

  /** Takes exactly this line away: the late end of an older one changes nothing. */
  remove(line: Line): void {
    if (this.#lines.get(line.chargePointId) === line) this.#lines.delete(line.chargePointId)
  }

  /** Every line as of now, so that closing them while walking is safe. */
  all(): Line[] {
    return [...this.#lines.values()]
  }

  get size(): number {
    return this.#lines.size
  }
}
