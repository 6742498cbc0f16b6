/** How a node that was paused, or is cut off, finds out whether a socket of its is still the newest. */
import DataLoader from "dataloader"
import type { ChargePointRow } from "../facts/rows.ts"
import type { Line } from "./lines.ts"
import { OwnershipLost } from "./ownership.ts"
import type { Bus, Store } from "./ports.ts"

interface ProofOptions {
  store: { read: Pick<Store["read"], "chargePointsByIds"> }
  bus: Pick<Bus, "certain">
}

const AT_ONCE = 500

export class Proofs {
  readonly #bus: Pick<Bus, "certain">
  /** What is asked in one turn is read together, and never from an earlier answer. */
  readonly #rows: DataLoader<string, ChargePointRow | undefined>

  constructor({ store, bus }: ProofOptions) {
    this.#bus = bus
    this.#rows = new DataLoader(
      async (ids) => {
        const rows = new Map((await store.read.chargePointsByIds(ids)).map((row) => [row.id, row]))
        return ids.map((id) => rows.get(id))
      },
      { cache: false, maxBatchSize: AT_ONCE },
    )
  }

  /**
   * The word of the other nodes is enough, and so are the books: a newer socket is in both before it is spoken with.
   * @throws OwnershipLost; BusUnavailable or StoreUnavailable while neither can be asked
   */
  async prove({ chargePointId, epoch }: Pick<Line, "chargePointId" | "epoch">): Promise<void> {
    const failures: unknown[] = []
    const failed = (cause: unknown) => {
      failures.push(cause)
      throw cause
    }
    try {
      await Promise.any([this.#bus.certain().catch(failed), this.#isNewest(chargePointId, epoch).catch(failed)])
    } catch {
      throw failures.find((cause) => cause instanceof OwnershipLost) ?? failures[0]
    }
  }

  async #isNewest(chargePointId: string, epoch: number): Promise<void> {
    const row = await this.#rows.load(chargePointId)
    if (row === undefined || row.epoch > epoch) throw new OwnershipLost()
  }
}
