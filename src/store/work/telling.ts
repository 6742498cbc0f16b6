/** Writes down what a commit group tells: a journal row with all its events, and how far each subject has come with it. */
import type { Session } from "../session.ts"
import { addJournal, addUnpublished, advanceSubjects, tellSubjects } from "../statements.ts"
import type { Value } from "../tables.ts"

/** Stands beside all subjects but the first, which has the journal row beside it. */
const NO_ROW: readonly Value[] = [null, null, null]

/** Gives the row's id, by those statements that the engine has. `row` and `moves`: as `addJournal` and `advanceSubjects` say. */
export function issueTelling(
  session: Session,
  row: readonly Value[],
  moves: readonly (readonly Value[])[],
): Promise<{ id: number }[][]> {
  const together = moves.map((move, index) => [...(index === 0 ? row : NO_ROW), ...move])
  return Promise.all([
    session.run(addJournal, [row]),
    session.run(addUnpublished, [[1]]),
    session.run(advanceSubjects, moves),
    session.run(tellSubjects, together),
  ])
}
