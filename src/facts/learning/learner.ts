/** What the end of a command teaches: taken over in the transaction that ends it, so that neither is known without the other. */
import type { ConfirmationOf, RequestOf } from "../../ocpp/action.ts"
import type { CentralSystemActionName, FromCentralSystem } from "../../ocpp/index.ts"
import type { Facts } from "../facts.ts"
import type { CommandRow } from "../rows.ts"

/** A command that has ended. */
export interface Ended<Action extends CentralSystemActionName> {
  /** As it lies in the books from now on. */
  command: CommandRow
  /** What the charge point was asked, secrets masked. */
  request: RequestOf<FromCentralSystem[Action]>
  /** What it answered, secrets masked; null where no answer was understood. */
  confirmation: ConfirmationOf<FromCentralSystem[Action]> | null
  /** When it ended, ms. */
  at: number
}

/** What commands of one action teach. Like a change's rule: `learn` meets only rows that `load` asked for, and is repeatable. */
export interface Learner<Action extends CentralSystemActionName> {
  load(facts: Facts, ended: readonly Ended<Action>[]): Promise<void>
  learn(facts: Facts, ended: Ended<Action>): void
}

/** The learners there are, by action. */
export type Learners = { readonly [Action in CentralSystemActionName]?: Learner<Action> }
