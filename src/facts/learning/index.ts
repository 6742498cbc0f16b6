/** Which actions teach something, and how an ended command finds its learner. */
import { type CentralSystemActionName, isCentralSystemAction } from "../../ocpp/index.ts"
import type { Facts } from "../facts.ts"
import type { CommandRow } from "../rows.ts"
import { clearChargingProfile } from "./clear-charging-profile.ts"
import { getLocalListVersion, sendLocalList } from "./local-list.ts"
import { cancelReservation, reserveNow } from "./reservation.ts"
import type { Ended, Learner, Learners } from "./learner.ts"
import { remoteStartTransaction } from "./remote-start-transaction.ts"
import { setChargingProfile } from "./set-charging-profile.ts"
import { getDiagnostics, updateFirmware } from "./transfers.ts"

const learners: Learners = {
  GetDiagnostics: getDiagnostics,
  UpdateFirmware: updateFirmware,
  GetLocalListVersion: getLocalListVersion,
  SendLocalList: sendLocalList,
  ReserveNow: reserveNow,
  CancelReservation: cancelReservation,
  SetChargingProfile: setChargingProfile,
  ClearChargingProfile: clearChargingProfile,
  RemoteStartTransaction: remoteStartTransaction,
}

/** Loads what these commands' lessons touch. */
export async function loadLessons(facts: Facts, commands: readonly CommandRow[]): Promise<void> {
  const byAction = Map.groupBy(commands, ({ action }) => action)
  for (const [action, ended] of byAction) {
    const learner = learnerOf(action)
    if (learner !== undefined)
      await learner.load(
        facts,
        ended.map((command) => lessonOf(command)),
      )
  }
}

/** Takes over what an ended command teaches; the command as it lies in the books from now on. */
export function learn(facts: Facts, command: CommandRow): void {
  learnerOf(command.action)?.learn(facts, lessonOf(command))
}

function learnerOf(action: string): Learner<CentralSystemActionName> | undefined {
  // Which learner it is and which action the command has is the same word.
  return isCentralSystemAction(action) ? (learners[action] as Learner<CentralSystemActionName> | undefined) : undefined
}

const lessonOf = (command: CommandRow): Ended<CentralSystemActionName> => ({
  command,
  request: JSON.parse(command.request),
  confirmation: command.confirmation === null ? null : JSON.parse(command.confirmation),
  at: command.answeredAt ?? command.requestedAt,
})
