/** What a central system must not do under load, counted: a figure is worth nothing beside a fault. */

/**
 * `wrong`: a reply with an id that no CALL of this charge point had; `late`: after the wait for it was over; `doubled`:
 * a second time; `missing`: not at all; `malformed`: no frame of OCPP-J; `invalid`: a CALLRESULT without what OCPP 1.6
 * §6 wants in it, or a refusal where the load needs acceptance; `error`: a CALLERROR; `unasked`: a CALL that nobody
 * asked for; `refused`: a connection that was not made; `lost`: one that broke.
 */
export const FAULT_KINDS = [
  "wrong",
  "late",
  "doubled",
  "missing",
  "malformed",
  "invalid",
  "error",
  "unasked",
  "refused",
  "lost",
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** As it travels and as it is recorded: only what happened. */
export interface FaultRecord {
  counts: Partial<Record<FaultKind, number>>
  /** The first of each kind. */
  examples: Partial<Record<FaultKind, string>>
}

const EXAMPLE_LENGTH = 300

export class Faults {
  readonly counts: Partial<Record<FaultKind, number>> = {}
  readonly examples: Partial<Record<FaultKind, string>> = {}

  note(kind: FaultKind, example: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    this.examples[kind] ??= example.slice(0, EXAMPLE_LENGTH)
  }

  add({ counts, examples }: FaultRecord): void {
    for (const kind of FAULT_KINDS) {
      const count = counts[kind]
      if (count === undefined) continue
      this.counts[kind] = (this.counts[kind] ?? 0) + count
      const example = examples[kind]
      if (example !== undefined) this.examples[kind] ??= example
    }
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0)
  }

  record(): FaultRecord {
    return { counts: { ...this.counts }, examples: { ...this.examples } }
  }
}
