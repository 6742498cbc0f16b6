/** A charge point taken by a node as the gateway does it. */
import type { Bus } from "../../src/services/ports.ts"

/** Takes it, resolving to the epoch. @throws Error where somebody newer holds it */
export async function claim(
  bus: Pick<Bus, "nextEpoch" | "claim">,
  chargePointId: string,
  storedEpoch = 0,
): Promise<number> {
  const epoch = await bus.nextEpoch(storedEpoch)
  const claimed = await bus.claim(chargePointId, epoch, null)
  if (claimed === null) throw new Error(`${chargePointId} is held by a newer socket`)
  return epoch
}
