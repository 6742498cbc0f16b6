/** A charge point that lives: boots, keeps its clock, beats its heart, restarts, and holds its connectors together. */
import { Authorization } from "./authorization.ts"
import { ChargePoint, type ChargePointOptions } from "./charge-point.ts"
import { ChargingProfiles } from "./charging-profiles.ts"
import { Configuration, type KeyName } from "./configuration.ts"
import { Connector, type Host, type Use, type UseOptions } from "./connector.ts"
import { between, type Random } from "./random.ts"
import type { Hardware } from "./session.ts"
import { someVehicle, type Vehicle } from "./vehicle.ts"
import { unobserved } from "./wire.ts"

export interface StationOptions extends ChargePointOptions {
  hardware?: Hardware
  /** Seconds of charging in one second of ours; heartbeats and boot intervals keep real time. */
  speed?: number
  /** How long a restart takes. */
  rebootMs?: number
  /** Knows SignedUpdateFirmware, and therefore not UpdateFirmware. */
  signedFirmware?: boolean
  configuration?: Partial<Record<KeyName, string>>
}

export type Registration = "None" | "Accepted" | "Pending" | "Rejected"

/** The wait before the next BootNotification when the central system leaves the choice to us, in s. */
const BOOT_RETRY = 10
const NOTES = 50
const wallbox: Hardware = { maxW: 22_000, phases: 3, direct: false }

export class Station implements Host, AsyncDisposable {
  readonly chargePoint: ChargePoint
  readonly options: StationOptions
  readonly speed: number
  readonly random: Random
  readonly configuration: Configuration
  readonly authorization: Authorization
  readonly profiles = new ChargingProfiles()
  readonly connectors: Connector[]
  registration: Registration = "None"
  /** Whether the charge point as a whole is out of service (ChangeAvailability of connector 0). */
  inoperative = false
  firmwareVersion: string
  sessions = { started: 0, ended: 0, energyWh: 0 }
  readonly #notes: string[] = []
  #clockOffsetMs = 0
  #booted = Promise.withResolvers<void>()
  #bootTimer: Timer | undefined
  #heartbeat: Timer | undefined
  #ping: Timer | undefined
  #aligned: Timer | undefined
  #closed = false

  constructor(options: StationOptions) {
    this.options = options
    this.speed = options.speed ?? 1
    this.random = options.random ?? Math.random
    this.firmwareVersion = options.firmwareVersion ?? "1.0.0"
    this.chargePoint = new ChargePoint({ ...options, random: this.random })
    const count = this.chargePoint.connectors
    this.configuration = new Configuration({ NumberOfConnectors: String(count), ...options.configuration })
    this.authorization = new Authorization(this.configuration, async (idTag) => {
      const { idTagInfo } = await this.chargePoint.call("Authorize", { idTag })
      return idTagInfo
    })
    const hardware = options.hardware ?? wallbox
    this.connectors = Array.from({ length: count }, (_, index) => new Connector(index + 1, this, hardware))
    this.chargePoint.backlog.hold()
    this.chargePoint.onOpen(() => this.#opened())
    this.chargePoint.onClose(() => this.#rest())
    this.applyConfiguration()
  }

  /** Connects; `booted` resolves when the central system accepts. */
  connect(): Promise<void> {
    return this.chargePoint.connect()
  }

  /** Resolves when the present start ended with an Accepted. */
  get booted(): Promise<void> {
    return this.#booted.promise
  }

  connector(connectorId: number): Connector | undefined {
    return this.connectors[connectorId - 1]
  }

  /** A driver with this idTag plugs in, with some vehicle unless told. */
  async plugIn(connectorId: number, idTag: string, options: UseOptions & { vehicle?: Vehicle } = {}): Promise<Use> {
    const connector = this.connector(connectorId)
    if (!connector || this.#closed) return "busy"
    const vehicle = options.vehicle ?? someVehicle(this.random, connector.hardware.direct)
    const use = await connector.use(idTag, vehicle, options)
    if (use === "started") this.sessions.started++
    return use
  }

  timestamp(): string {
    return new Date(Date.now() + this.#clockOffsetMs).toISOString()
  }

  /** Sends what may be lost: nothing while offline or not accepted. */
  notify(action: string, payload: object): void {
    if (this.registration === "Accepted") this.chargePoint.call(action, payload).catch(unobserved)
  }

  deliver: Host["deliver"] = (action, payload) => this.chargePoint.deliver(action, payload)

  note(text: string): void {
    this.#notes.push(`${this.timestamp()} ${text}`)
    if (this.#notes.length > NOTES) this.#notes.shift()
  }

  /** What the charge point remembers of itself, as a diagnostics file holds it. */
  get diagnostics(): string {
    const { identity, statistics, backlog } = this.chargePoint
    const head = [`charge point ${identity}, firmware ${this.firmwareVersion}`, `backlog ${backlog.length}`]
    return [...head, JSON.stringify(statistics), ...this.#notes, ""].join("\n")
  }

  ended(energyWh: number): void {
    this.sessions.ended++
    this.sessions.energyWh += energyWh
  }

  /** The status of connector 0, the charge point itself. */
  get ownStatus() {
    const status = this.inoperative ? "Unavailable" : "Available"
    return { connectorId: 0, errorCode: "NoError", status, timestamp: this.timestamp() }
  }

  reportSelf(): void {
    this.notify("StatusNotification", this.ownStatus)
  }

  /** BootNotification until Accepted, waiting as told. OCPP 1.6 §4.2. */
  async boot(): Promise<void> {
    clearTimeout(this.#bootTimer)
    let waitS = BOOT_RETRY
    try {
      const identification = { ...this.chargePoint.identification, firmwareVersion: this.firmwareVersion }
      const { status, interval, currentTime } = await this.chargePoint.call("BootNotification", identification)
      this.setClock(currentTime)
      this.registration = status
      this.note(`boot: ${status}`)
      if (status === "Accepted") return this.#accepted(interval)
      waitS = interval || BOOT_RETRY
    } catch (cause) {
      this.note(`boot: ${String(cause)}`)
    }
    if (this.chargePoint.online && !this.#closed) this.#bootTimer = setTimeout(() => void this.boot(), waitS * 1000)
  }

  /** Restarts: Soft ends the transactions and has them acknowledged first, Hard tells of them afterwards. OCPP 1.6 §5.14. */
  async reset(type: "Soft" | "Hard"): Promise<void> {
    this.note(`reset: ${type}`)
    if (type === "Hard") {
      this.registration = "None"
      this.chargePoint.backlog.hold()
    }
    const stops = this.connectors.map((connector) => connector.stop(`${type}Reset`))
    if (type === "Soft") await Promise.race([Promise.allSettled(stops), Bun.sleep(10_000)])
    else for (const stop of stops) stop.catch(unobserved)
    await this.restart()
  }

  /** Goes down and comes up again. */
  async restart(): Promise<void> {
    this.registration = "None"
    this.#booted = Promise.withResolvers()
    this.chargePoint.backlog.hold()
    for (const connector of this.connectors) if (connector.status !== "Faulted") connector.rest()
    await this.chargePoint.disconnect()
    if (this.#closed) return
    await Bun.sleep(this.options.rebootMs ?? 2000)
    if (!this.#closed) await this.chargePoint.connect()
  }

  /** Waits for what takes a person or a machine about so many (charging) seconds. */
  aWhile(seconds: number): Promise<void> {
    return Bun.sleep((between(this.random, 0.5, 1.5) * seconds * 1000) / this.speed)
  }

  setClock(currentTime: string): void {
    const instant = Date.parse(currentTime)
    if (Number.isFinite(instant)) this.#clockOffsetMs = instant - Date.now()
  }

  async beat(): Promise<void> {
    this.setClock((await this.chargePoint.call("Heartbeat")).currentTime)
  }

  /** Timers and limits that follow from the configuration. */
  applyConfiguration(): void {
    const { configuration, chargePoint } = this
    chargePoint.backlog.attempts = configuration.number("TransactionMessageAttempts")
    chargePoint.backlog.retryIntervalMs = configuration.number("TransactionMessageRetryInterval") * 1000
    this.#rest()
    if (this.registration !== "Accepted" || !chargePoint.online) return
    const every = (seconds: number, work: () => void) => (seconds > 0 ? setInterval(work, seconds * 1000) : undefined)
    this.#heartbeat = every(configuration.number("HeartbeatInterval"), () => void this.beat().catch(unobserved))
    this.#ping = every(configuration.number("WebSocketPingInterval"), () => chargePoint.ping())
    this.#alignNext()
  }

  /** Ends every transaction, waits until the central system has it all (at most `withinMs`), and closes. */
  async stop(withinMs = 5000): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const connector of this.connectors) {
      connector.stop("Local").catch(unobserved)
      if (connector.status === "Preparing") connector.rest()
    }
    if (this.registration === "Accepted") await Promise.race([this.#tellAll().catch(unobserved), Bun.sleep(withinMs)])
    for (const connector of this.connectors) connector.halt()
    this.#rest()
    await this.chargePoint.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #tellAll(): Promise<void> {
    await this.chargePoint.connect()
    await this.chargePoint.backlog.whenEmpty()
  }

  #opened(): void {
    if (this.registration !== "Accepted") return void this.boot()
    // A reconnect is no boot: only what may have changed meanwhile is told. OCPP-J §5.4.
    this.#report()
    this.applyConfiguration()
  }

  #accepted(interval: number): void {
    if (interval > 0) this.configuration.set("HeartbeatInterval", String(interval))
    this.#report()
    this.applyConfiguration()
    this.chargePoint.backlog.release()
    this.#booted.resolve()
  }

  #report(): void {
    this.reportSelf()
    for (const connector of this.connectors) connector.report()
  }

  /** Readings at the same instants of the clock for everybody. OCPP 1.6 §3.16.1. */
  #alignNext(): void {
    const everyMs = this.configuration.number("ClockAlignedDataInterval") * 1000
    if (everyMs === 0) return
    const now = Date.now() + this.#clockOffsetMs
    this.#aligned = setTimeout(
      () => {
        for (const connector of this.connectors) connector.deliverSample("Sample.Clock", "MeterValuesAlignedData")
        this.#alignNext()
      },
      everyMs - (now % everyMs),
    )
  }

  #rest(): void {
    clearTimeout(this.#bootTimer)
    clearInterval(this.#heartbeat)
    clearInterval(this.#ping)
    clearTimeout(this.#aligned)
  }
}
