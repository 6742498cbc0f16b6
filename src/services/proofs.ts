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
/** How long a node that did not hear itself the last time waits for its echo before it asks the books. */
const DEAF_PATIENCE_MS = 50

export class Proofs {
  readonly #bus: Pick<Bus, "certain">
  /** Whether the last echo that was waited for never came. */
  #isDeaf = false
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
   * The word is one for all sockets and the books are read for each: a node that is only late, with all its sockets in
   * doubt at once, must not become later by that.
   * @throws OwnershipLost; BusUnavailable or StoreUnavailable while neither can be asked
   */
  async prove({ chargePointId, epoch }: Pick<Line, "chargePointId" | "epoch">): Promise<void> {
    const hears = this.#hears()
    const inTime = this.#isDeaf ? Promise.race([hears, Bun.sleep(DEAF_PATIENCE_MS).then(() => false)]) : hears
    if (await inTime) return
    const isNewest = this.#isNewest(chargePointId, epoch)
    if (await Promise.race([hears, isNewest.then(() => true)])) return
    await isNewest
  }

  async #hears(): Promise<boolean> {
    this.#isDeaf = !(await this.#bus.certain().then(
      () => true,
      () => false,
    ))
    return !this.#isDeaf
  }

  async #isNewest(chargePointId: string, epoch: number): Promise<void> {
    const row = await this.#rows.load(chargePointId)
    if (row === undefined || row.epoch > epoch) throw new OwnershipLost()
  }
}
