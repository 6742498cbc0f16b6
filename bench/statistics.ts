/** What charge points count while they talk; one object can be shared by a whole fleet. */

/**
 * What a central system should never do: answer a CALL that was not made (`unmatched`), answer twice (`doubled`), after
 * the wait was over (`late`), not at all (`missing`), with a confirmation that is none (`wrong`), in no frame (`garbage`),
 * or a repeated message otherwise than the first time (`inconsistent`).
 */
export type AnomalyKind = "unmatched" | "doubled" | "late" | "missing" | "wrong" | "garbage" | "inconsistent"

export interface Statistics {
  opened: number
  closed: number
  callsSent: number
  answered: number
  callErrors: number
  callsReceived: number
  anomalies: Record<AnomalyKind, number>
  /** The first of each kind, for whoever has to find out why. */
  examples: Partial<Record<AnomalyKind, string>>
  errorExample?: string
}

export const newStatistics = (): Statistics => ({
  opened: 0,
  closed: 0,
  callsSent: 0,
  answered: 0,
  callErrors: 0,
  callsReceived: 0,
  anomalies: { unmatched: 0, doubled: 0, late: 0, missing: 0, wrong: 0, garbage: 0, inconsistent: 0 },
  examples: {},
})

/** Counts something a central system should not have done, and keeps the first of its kind. */
export function noteAnomaly(statistics: Statistics, kind: AnomalyKind, example: string): void {
  statistics.anomalies[kind]++
  statistics.examples[kind] ??= example.slice(0, 400)
}
