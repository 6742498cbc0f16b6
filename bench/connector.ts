/** One connector: its status, the vehicle on it and the transaction that runs. OCPP 1.6 §4.9, §3.3. */
import type { Authorization } from "./authorization.ts"
import type { ChargePoint } from "./charge-point.ts"
import type { ChargingProfile, ChargingProfiles } from "./charging-profiles.ts"
import type { Configuration, KeyName } from "./configuration.ts"
import { type Context, type Load, Meter } from "./meter.ts"
import { between, type Random } from "./random.ts"
import { type Hardware, Session } from "./session.ts"
import type { Vehicle } from "./vehicle.ts"
import { type ConfirmationOf, type Payload, unobserved } from "./wire.ts"

/** What a connector needs from the charge point around it. */
export interface Host {
  /** How many seconds of charging pass in one of ours. */
  readonly speed: number
  readonly random: Random
  readonly configuration: Configuration
  readonly authorization: Authorization
  readonly profiles: ChargingProfiles
  /** Now, by the clock that the central system set. */
  timestamp(): string
  /** Sends a message that may be lost. */
  notify(action: string, payload: object): void
  deliver: ChargePoint["deliver"]
  /** A line for the diagnostics. */
  note(text: string): void
  /** A transaction is over. */
  ended(energyWh: number): void
}

export type Status =
  | "Available"
  | "Preparing"
  | "Charging"
  | "SuspendedEVSE"
  | "SuspendedEV"
  | "Finishing"
  | "Reserved"
  | "Unavailable"
  | "Faulted"

export interface Reservation {
  reservationId: number
  idTag: string
  parentIdTag?: string | undefined
  expiryDate: string
}

export interface UseOptions {
  /** The central system vouched for the idTag when it asked for this. */
  preauthorized?: boolean
  /** A TxProfile that came with RemoteStartTransaction. */
  profile?: ChargingProfile
}

/** In (charging) seconds: how long a connector goes unobserved at most while a vehicle is on it. */
const LONGEST_STEP = 60

export type Use = "started" | "refused" | "busy"

export class Connector {
  readonly connectorId: number
  readonly hardware: Hardware
  readonly meter: Meter
  status: Status = "Available"
  errorCode = "NoError"
  inoperative = false
  reservation: Reservation | undefined
  session: Session | undefined
  readonly #host: Host
  #occupied = false
  #timer: Timer | undefined
  #expiry: Timer | undefined

  constructor(connectorId: number, host: Host, hardware: Hardware) {
    this.connectorId = connectorId
    this.#host = host
    this.hardware = hardware
    this.meter = new Meter(between(host.random, 1000, 9_000_000), host.random)
  }

  /** Whether somebody with this idTag may plug in now. */
  isFreeFor(idTag: string): boolean {
    if (this.#occupied || this.inoperative || this.status === "Faulted") return false
    return !this.reservation || this.#holds(this.reservation, idTag)
  }

  /** StatusNotification.req, as it stands. */
  get ownStatus() {
    const { connectorId, status, errorCode } = this
    return { connectorId, errorCode, status, timestamp: this.#host.timestamp() }
  }

  report(): void {
    this.#host.notify("StatusNotification", this.ownStatus)
  }

  /** A driver plugs in and shows the idTag; `started` once StartTransaction is on its way. */
  async use(idTag: string, vehicle: Vehicle, options: UseOptions = {}): Promise<Use> {
    if (!this.isFreeFor(idTag)) return "busy"
    this.#occupied = true
    this.#become("Preparing")
    const info = options.preauthorized ? { status: "Accepted" } : await this.#host.authorization.check(idTag)
    // Meanwhile the connector may have failed, or the charge point restarted.
    if (!this.#occupied || this.status !== "Preparing") return "refused"
    if (info.status !== "Accepted") {
      this.rest()
      return "refused"
    }
    if (options.profile) this.#host.profiles.install(this.connectorId, options.profile)
    this.#start(idTag, vehicle)
    return "started"
  }

  /** Ends the transaction and resolves with its acknowledgement; the driver unplugs a little later. */
  async stop(reason: string, idTag?: string): Promise<ConfirmationOf<"StopTransaction"> | undefined> {
    const { session, meter } = this
    if (!session) return undefined
    session.advance()
    const load = { ...session.load, powerW: 0 }
    this.session = undefined
    this.#host.profiles.endTransaction(this.connectorId)
    const end = meter.read(this.#host.timestamp(), "Transaction.End", this.#measurands("StopTxnSampledData"), load)
    const transactionData = [session.begin, end].filter(({ sampledValue }) => sampledValue.length > 0)
    const stop = { meterStop: meter.wh, timestamp: end.timestamp, reason }
    this.#host.note(`connector ${this.connectorId}: stopped, ${reason}, ${meter.wh - session.meterStart} Wh`)
    this.#host.ended(meter.wh - session.meterStart)
    this.#become("Finishing")
    this.#later(between(this.#host.random, 20, 120), () => this.rest())
    return this.#host.deliver("StopTransaction", () => ({
      // −1 when no id was ever received, OCPP 1.6 §4.10.
      transactionId: session.transactionId ?? -1,
      ...stop,
      ...(idTag !== undefined && { idTag }),
      ...(transactionData.length > 0 && { transactionData }),
    }))
  }

  /** Nobody is plugged in any more: what the connector is when left alone. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#occupied = false
    const status = this.inoperative ? "Unavailable" : this.reservation ? "Reserved" : "Available"
    this.#become(status)
  }

  /** A fault ends the transaction; it lasts until `repair`. */
  fail(errorCode: string): void {
    this.cancelReservation()
    void this.stop("Other").catch(unobserved)
    clearTimeout(this.#timer)
    this.#occupied = false
    this.#become("Faulted", errorCode)
  }

  repair(): void {
    if (this.status === "Faulted") this.rest()
  }

  /** Operative or not; while somebody is plugged in it takes effect afterwards. */
  makeInoperative(inoperative: boolean): "Accepted" | "Scheduled" {
    this.inoperative = inoperative
    if (this.#occupied) return "Scheduled"
    if (inoperative) this.cancelReservation()
    if (this.status !== "Faulted") this.rest()
    return "Accepted"
  }

  /** Holds the connector for an idTag until the expiry date. OCPP 1.6 §5.13. */
  reserve(reservation: Reservation): "Accepted" | "Faulted" | "Occupied" | "Unavailable" {
    if (this.status === "Faulted") return "Faulted"
    if (this.inoperative) return "Unavailable"
    const replaces = this.reservation?.reservationId === reservation.reservationId
    if (this.#occupied || (this.reservation && !replaces)) return "Occupied"
    this.cancelReservation()
    this.reservation = reservation
    const inMs = Date.parse(reservation.expiryDate) - Date.now()
    this.#expiry = setTimeout(() => this.cancelReservation(), Math.min(Math.max(0, inMs), 2 ** 31 - 1))
    this.rest()
    return "Accepted"
  }

  cancelReservation(): void {
    clearTimeout(this.#expiry)
    this.reservation = undefined
    if (this.status === "Reserved") this.rest()
  }

  /** One reading, as MeterValues.req carries it. */
  sample(context: Context, list: KeyName): Payload {
    const { connectorId, session } = this
    session?.advance()
    const load = session?.load ?? this.#idle
    const meterValue = [this.meter.read(this.#host.timestamp(), context, this.#measurands(list), load)]
    const make = { connectorId, meterValue }
    return session?.transactionId === undefined ? make : { ...make, transactionId: session.transactionId }
  }

  /** A reading of the running transaction, or of the idle meter, sent in order with the transaction messages. */
  deliverSample(context: Context, list: KeyName): void {
    if (this.#measurands(list).length === 0) return
    const { session } = this
    const { transactionId: _, ...reading } = this.sample(context, list)
    // Made when it leaves: a reading taken offline learns its transactionId from the Start before it.
    const payload = () => (session ? { ...reading, transactionId: session.transactionId ?? -1 } : reading)
    this.#host.deliver("MeterValues", payload).catch(unobserved)
  }

  /** The power goes: no timer of this connector runs on. */
  halt(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#expiry)
  }

  #start(idTag: string, vehicle: Vehicle): void {
    const { meter, connectorId, hardware, reservation } = this
    const { profiles, speed } = this.#host
    const timestamp = this.#host.timestamp()
    const begin = meter.read(timestamp, "Transaction.Begin", this.#measurands("StopTxnSampledData"), this.#idle)
    const session = new Session({
      ...{ connectorId, idTag, vehicle, hardware, meter, profiles, speed },
      startedAt: timestamp,
      begin,
    })
    this.session = session
    const reserved = reservation && { reservationId: reservation.reservationId }
    clearTimeout(this.#expiry)
    this.reservation = undefined
    this.#host
      .deliver("StartTransaction", { connectorId, idTag, meterStart: session.meterStart, timestamp, ...reserved })
      .then((confirmation) => this.#started(session, confirmation))
      .catch(unobserved) // the central system would not have it: the Stop will say −1
    this.#host.note(`connector ${connectorId}: started for ${idTag}`)
    this.#become("Charging")
    this.#tick(session)
  }

  #started(session: Session, { transactionId, idTagInfo }: ConfirmationOf<"StartTransaction">): void {
    session.transactionId = transactionId
    this.#host.authorization.learn(session.idTag, idTagInfo)
    if (idTagInfo.status === "Accepted" || this.session !== session) return
    if (this.#host.configuration.flag("StopTransactionOnInvalidId")) this.stop("DeAuthorized").catch(unobserved)
    else session.withheld = true
  }

  /** Everything that happens by itself while a vehicle is connected. */
  #tick(session: Session): void {
    if (this.session !== session) return
    session.advance()
    const interval = this.#host.configuration.number("MeterValueSampleInterval")
    if (session.takesSample(interval)) this.deliverSample("Sample.Periodic", "MeterValuesSampledData")
    this.#suspend(session)
    if (performance.now() >= session.leavesAt) {
      this.stop("EVDisconnected").catch(unobserved)
      return
    }
    const step = interval > 0 ? interval / Math.ceil(interval / LONGEST_STEP) : LONGEST_STEP
    this.#later(step, () => this.#tick(session))
  }

  #suspend(session: Session): void {
    if (!session.isFull) {
      this.#become(session.powerW > 0 ? "Charging" : "SuspendedEVSE")
      return
    }
    if (session.leavesAt === Infinity)
      session.leavesAt = performance.now() + (between(this.#host.random, 60, 900) * 1000) / this.#host.speed
    this.#become("SuspendedEV")
  }

  get #idle(): Load {
    const { direct, phases } = this.hardware
    return { powerW: 0, offeredW: 0, phases, direct }
  }

  #measurands(list: KeyName) {
    return this.#host.configuration.measurands(list)
  }

  #holds({ idTag: reserved, parentIdTag }: Reservation, idTag: string): boolean {
    if (reserved.toLowerCase() === idTag.toLowerCase()) return true
    const parent = this.#host.authorization.parentOf(idTag)
    return parentIdTag !== undefined && parent?.toLowerCase() === parentIdTag.toLowerCase()
  }

  #become(status: Status, errorCode = "NoError"): void {
    if (status === this.status && errorCode === this.errorCode) return
    this.status = status
    this.errorCode = errorCode
    this.report()
  }

  #later(seconds: number, work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, Math.max(5, (seconds * 1000) / this.#host.speed))
  }
}
