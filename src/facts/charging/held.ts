/** Which charging profiles a charge point is believed to hold: what it accepted, less what replaced or cleared it. */
import type { RequestOf } from "../../ocpp/action.ts"
import type { FromCentralSystem } from "../../ocpp/index.ts"
import type { ChargingProfile } from "../../ocpp/types.ts"
import type { Facts } from "../facts.ts"
import { happenedAt } from "../instants.ts"
import type { ChargingProfileRow, CommandRow, TransactionRow } from "../rows.ts"
import { loadTold, tellChargePoint } from "../told-charge-point.ts"

const minuteMs = 60_000

/** How far the clock of a charge point may be behind ours when it starts what it was just told to start. */
const LAG_MS = 5 * minuteMs

/** How long a profile waits for its transaction: longer than any charge point waits for a plug (ConnectionTimeOut). */
const WAIT_MS = 60 * minuteMs

const isWithinWait = ({ acceptedAt }: ChargingProfileRow, at: number): boolean =>
  acceptedAt - LAG_MS <= at && at <= acceptedAt + WAIT_MS

/** Whether it is a TxProfile whose transaction is not known yet: it limits nothing so far. */
const isWaiting = ({ chargingProfilePurpose, transactionId }: ChargingProfileRow): boolean =>
  chargingProfilePurpose === "TxProfile" && transactionId === null

/** Whether it came with a remote start whose transaction is yet to come: it is not installed before. OCPP 1.6 §5.11. */
const isAhead = ({ idTagKey }: ChargingProfileRow): boolean => idTagKey !== null

/** Whether it can still come to anything at this instant (epoch ms): nobody waits for a transaction for ever. */
export const isHeld = (row: ChargingProfileRow, at: number): boolean =>
  !isWaiting(row) || at <= row.acceptedAt + WAIT_MS

/** A profile as the charge point accepted it with this command. */
export const accepted = (
  { id: commandId, organisationId, chargePointId }: CommandRow,
  profile: ChargingProfile,
  belongs: Pick<ChargingProfileRow, "connectorId" | "transactionId" | "idTagKey" | "acceptedAt">,
): ChargingProfileRow => ({
  commandId,
  organisationId,
  chargePointId,
  chargingProfileId: profile.chargingProfileId,
  chargingProfilePurpose: profile.chargingProfilePurpose,
  stackLevel: profile.stackLevel,
  chargingProfile: JSON.stringify(profile),
  ...belongs,
})

/**
 * Whether a profile takes the other's place: it has its id, or its purpose and stack level on the same connector. What
 * limits the charge point as a whole is one stack, whatever connector it was set on. OCPP 1.6 §3.13.2, §5.16.
 */
function replaces(row: ChargingProfileRow, other: ChargingProfileRow): boolean {
  if (row.chargingProfileId === other.chargingProfileId) return true
  const { chargingProfilePurpose: purpose, stackLevel, connectorId } = row
  if (purpose !== other.chargingProfilePurpose || stackLevel !== other.stackLevel) return false
  return purpose === "ChargePointMaxProfile" || connectorId === other.connectorId
}

/** Of two remote starts for one connector, or for one idTag on whichever connector, the later one counts. */
function isForgotten(other: ChargingProfileRow, row: ChargingProfileRow): boolean {
  if (isAhead(row) !== isAhead(other)) return false
  if (!isAhead(row)) return replaces(row, other)
  return row.connectorId === other.connectorId && (row.connectorId !== null || row.idTagKey === other.idTagKey)
}

/**
 * Whether ClearChargingProfile means this profile: the one with the id, where an id is given; else all to which every
 * field given applies. OCPP 1.6 §5.5, errata §3.25.
 */
export function isMeant(
  { id, connectorId, chargingProfilePurpose, stackLevel }: RequestOf<FromCentralSystem["ClearChargingProfile"]>,
  row: ChargingProfileRow,
): boolean {
  if (id !== undefined) return row.chargingProfileId === id
  return (
    (connectorId === undefined || row.connectorId === connectorId) &&
    (chargingProfilePurpose === undefined || row.chargingProfilePurpose === chargingProfilePurpose) &&
    (stackLevel === undefined || row.stackLevel === stackLevel)
  )
}

/** Loads what these charge points hold and what that depends on. */
export async function loadHeld(facts: Facts, chargePointIds: readonly string[]): Promise<void> {
  await loadTold(facts, chargePointIds)
  await facts.chargingProfiles.loadOf(chargePointIds)
  await facts.transactions.loadUnended(chargePointIds)
  const held = chargePointIds.flatMap((id) => facts.chargingProfiles.of(id))
  await facts.transactions.load(held.flatMap(({ transactionId }) => transactionId ?? []))
}

/**
 * Takes an accepted profile over, with what it replaces, and what is over by then, gone. What is still ahead takes no
 * place yet.
 */
export function install(facts: Facts, row: ChargingProfileRow): void {
  // What was taken away with its charge point is not to come back.
  if (!facts.chargePoints.get(row.chargePointId)) return
  for (const other of facts.chargingProfiles.of(row.chargePointId)) {
    if (isForgotten(other, row) || isOver(facts, other, row.acceptedAt)) facts.chargingProfiles.delete(other.commandId)
  }
  facts.chargingProfiles.put(row)
  tell(facts, row, row.acceptedAt)
}

/** Takes out of the books what ClearChargingProfile was about; what is still ahead is not there to be cleared. */
export function uninstall(
  facts: Facts,
  chargePointId: string,
  request: RequestOf<FromCentralSystem["ClearChargingProfile"]>,
  at: number,
): void {
  const cleared = facts.chargingProfiles.of(chargePointId).filter((row) => !isAhead(row) && isMeant(request, row))
  for (const { commandId } of cleared) facts.chargingProfiles.delete(commandId)
  if (cleared[0]) tell(facts, cleared[0], at)
}

/** Loads what `bindWaiting` needs. */
export async function loadWaiting(facts: Facts, chargePointIds: readonly string[]): Promise<void> {
  await facts.chargingProfiles.loadOf(chargePointIds)
  const waiting = chargePointIds.filter((id) => facts.chargingProfiles.of(id).some(isWaiting))
  await loadTold(facts, waiting)
}

/**
 * A transaction has started: the profile that waited for it becomes its own. What waited for this connector while
 * somebody else came first waits no longer. OCPP 1.6 §5.11.
 */
export function bindWaiting(facts: Facts, transaction: TransactionRow): void {
  const { chargePointId, connectorId, transactionId, startReceivedAt } = transaction
  const waiting = facts.chargingProfiles
    .of(chargePointId)
    .filter(isWaiting)
    .sort((one, other) => one.acceptedAt - other.acceptedAt)
  const own = waiting.filter((row) => waitsFor(row, transaction))
  const inVain = waiting.filter(
    (row) => !own.includes(row) && row.connectorId === connectorId && isWithinWait(row, startReceivedAt),
  )
  for (const { commandId } of inVain) facts.chargingProfiles.delete(commandId)
  for (const row of own) bind(facts, { ...row, connectorId, transactionId, idTagKey: null })
  const [changed] = [...own, ...inVain]
  if (changed) tell(facts, changed, startReceivedAt)
}

function bind(facts: Facts, bound: ChargingProfileRow): void {
  for (const other of facts.chargingProfiles.of(bound.chargePointId))
    if (!isAhead(other) && replaces(bound, other)) facts.chargingProfiles.delete(other.commandId)
  facts.chargingProfiles.put(bound)
}

/**
 * Whether this transaction is the one that a waiting profile waits for. Its clock may show local time, and it may tell
 * late: either the instant it gives or that of receipt says that it started then.
 */
export function waitsFor(row: ChargingProfileRow, transaction: TransactionRow): boolean {
  const { startedAt, startReceivedAt, connectorId, idTagKey } = transaction
  if (row.connectorId !== null && row.connectorId !== connectorId) return false
  if (row.idTagKey !== null && row.idTagKey !== idTagKey) return false
  return isWithinWait(row, startReceivedAt) || isWithinWait(row, happenedAt(startedAt, startReceivedAt))
}

/** Whether a profile limits nothing any more: its transaction has ended, or never came. OCPP 1.6 §3.13.1. */
function isOver(facts: Facts, row: ChargingProfileRow, at: number): boolean {
  if (isWaiting(row)) return !isHeld(row, at)
  const transaction = row.transactionId === null ? undefined : facts.transactions.get(row.transactionId)
  return transaction?.chargePointId === row.chargePointId && transaction.state !== "Active"
}

function tell(facts: Facts, { chargePointId }: ChargingProfileRow, at: number): void {
  const chargePoint = facts.chargePoints.get(chargePointId)
  if (chargePoint) tellChargePoint(facts, "ChargingProfiles", chargePoint, at)
}
