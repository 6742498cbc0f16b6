/** A believable charge point, whole: it boots, charges, and answers every operation a central system can start. */
import { operations } from "./operations.ts"
import { securityOperations } from "./security.ts"
import { Station, type StationOptions } from "./station.ts"
import { Transfers } from "./transfers.ts"

/** Made, but not connected yet: see `Station.connect` and `Station.booted`. */
export function believableChargePoint(options: StationOptions): Station {
  const station = new Station(options)
  const transfers = new Transfers(station)
  const handlers = {
    ...operations(station, transfers),
    ...transfers.operations,
    ...securityOperations(station, transfers),
  }
  for (const [action, handler] of Object.entries(handlers)) station.chargePoint.onCall(action, handler)
  return station
}
