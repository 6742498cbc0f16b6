/** Reservations within a unit of work, found by charge point and by the number on the wire as well. */
import type { Reservations } from "../../facts/facts.ts"
import type { ReservationRow } from "../../facts/rows.ts"
import type { Session } from "../session.ts"
import { selectBy, takeReservationIds } from "../statements.ts"
import { encodeValue, reservations } from "../tables.ts"
import { type Gathering, LoadedRows, workOn } from "./rows.ts"

type NumberKey = Pick<ReservationRow, "chargePointId" | "reservationId">

const work = workOn<ReservationRow, string>(reservations, (id) => [encodeValue(id)])
const selectOpen = selectBy(reservations, ["chargePointId"], "t.state IN ('Requested', 'Active')")
const selectByNumber = selectBy(reservations, ["chargePointId", "reservationId"])

const inOrder = (one: ReservationRow, other: ReservationRow) =>
  one.requestedAt - other.requestedAt || (one.id < other.id ? -1 : 1)

export class LoadedReservations extends LoadedRows<ReservationRow, string> implements Reservations {
  readonly #open: Gathering<ReservationRow>
  readonly #byNumber: Gathering<ReservationRow>
  readonly #ids: number[] = []

  constructor(session: Session) {
    super(work, session)
    this.#open = this.gather(["chargePointId"], selectOpen)
    this.#byNumber = this.gather(["chargePointId", "reservationId"], selectByNumber)
  }

  loadOpen(chargePointIds: readonly string[]): Promise<void> {
    return this.#open.load(chargePointIds.map((id) => [encodeValue(id)]))
  }

  open(chargePointId: string): Readonly<ReservationRow>[] {
    return this.#open
      .of([encodeValue(chargePointId)])
      .filter(({ state }) => state === "Requested" || state === "Active")
      .sort(inOrder)
  }

  loadByNumber(keys: readonly NumberKey[]): Promise<void> {
    return this.#byNumber.load(keys.map((key) => [encodeValue(key.chargePointId), key.reservationId]))
  }

  byNumber({ chargePointId, reservationId }: NumberKey): Readonly<ReservationRow>[] {
    return this.#byNumber.of([encodeValue(chargePointId), reservationId]).sort(inOrder)
  }

  async drawIds(count: number): Promise<void> {
    if (count === 0) return
    const wanted = Array.from({ length: count }, () => [1])
    const taken = await this.session.run(takeReservationIds, wanted)
    this.#ids.push(...taken.map(({ reservationId }) => reservationId))
  }

  nextId(): number {
    const id = this.#ids.shift()
    if (id === undefined) throw new Error("more reservationIds were used than drawn")
    return id
  }
}
