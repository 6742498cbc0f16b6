/** The charging profiles that charge points hold, and what follows from them. OCPP 1.6 §3.13. */
import { type CompositeSchedule, compositeSchedule } from "../facts/charging/composite.ts"
import { isHeld } from "../facts/charging/held.ts"
import type { Supply } from "../facts/charging/limit.ts"
import { happenedAt } from "../facts/instants.ts"
import type { ChargePointRow, ChargingProfileRow, ConnectorRow, TransactionRow } from "../facts/rows.ts"
import type { ChargingProfile, ChargingRateUnit } from "../ocpp/types.ts"
import type { Clock } from "./ports.ts"
import { demand } from "./refusals.ts"

/** A profile that a charge point is believed to hold, with what was sent. */
export interface HeldChargingProfile extends ChargingProfileRow {
  profile: ChargingProfile
}

/** A composite schedule as Busbar computes it, with what was asked. */
export interface ComputedSchedule extends CompositeSchedule {
  connectorId: number
  /** Epoch ms. */
  scheduleStart: number
  /** s. */
  duration: number
}

/** What is known of a charge point at one time. */
interface Known {
  chargingProfiles: readonly ChargingProfileRow[]
  /** Those that run. */
  transactions: readonly TransactionRow[]
  connectors: readonly ConnectorRow[]
}

interface Asked {
  connectorId: number
  /** s. */
  duration: number
  chargingRateUnit: ChargingRateUnit | null
  /** Epoch ms; null: now. */
  scheduleStart: number | null
}

/** Whatever recurs has been seen several times by then. */
const MAX_DURATION_S = 31 * 86_400

export class ChargingProfiles {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those of a charge point's profiles that it may still hold. */
  held(rows: readonly ChargingProfileRow[]): HeldChargingProfile[] {
    const now = this.#clock.now()
    return rows.filter((row) => isHeld(row, now)).map((row) => ({ ...row, profile: JSON.parse(row.chargingProfile) }))
  }

  /**
   * What the charge point should allow from `scheduleStart` on, by the profiles it is believed to hold and the
   * transactions that run now. @throws CannotCompare, InvalidInput
   */
  compositeSchedule(
    chargePoint: Pick<ChargePointRow, "voltageV" | "phases">,
    { chargingProfiles, transactions, connectors }: Known,
    { connectorId, duration, chargingRateUnit, scheduleStart }: Asked,
  ): ComputedSchedule {
    demand(
      [connectorId >= 0, "connectorId", "must not be negative"],
      [duration >= 1 && duration <= MAX_DURATION_S, "duration", `must be 1 to ${MAX_DURATION_S} s`],
    )
    const profiles = this.held(chargingProfiles)
    const running = transactions.map((row) => ({
      transactionId: row.transactionId,
      connectorId: row.connectorId,
      // It had begun when we were told, whatever a clock that is ahead says.
      startedAt: Math.min(happenedAt(row.startedAt, row.startReceivedAt), row.startReceivedAt),
    }))
    const connectorIds = new Set([...connectors, ...profiles, ...running].map((row) => row.connectorId))
    const site = {
      profiles,
      transactions: running,
      connectorIds: [...connectorIds].filter((id): id is number => id !== null && id > 0),
      supply: supplyOf(chargePoint),
    }
    const from = scheduleStart ?? this.#clock.now()
    const composite = compositeSchedule(site, { connectorId, from, durationS: duration, unit: chargingRateUnit })
    return { connectorId, scheduleStart: from, duration, ...composite }
  }
}

const supplyOf = ({ voltageV, phases }: Pick<ChargePointRow, "voltageV" | "phases">): Supply | null =>
  voltageV === null || phases === null ? null : { voltageV, phases }
