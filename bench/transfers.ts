/** Firmware in, diagnostics out: what the charge point fetches and uploads, and how it tells of it. OCPP 1.6 §4.4, §4.5. */
import { verify } from "node:crypto"
import { readCertificate } from "./certificates.ts"
import type { CallHandler } from "./conversation.ts"
import { integer, object, optionalInteger, text, word } from "./fields.ts"
import type { Station } from "./station.ts"
import { CallError, type Payload, unobserved } from "./wire.ts"

interface Attempts {
  tries: number
  waitMs: number
}

interface Update extends Attempts {
  location: string
  /** When the download may begin, in ms. */
  from: number
  /** What SignedUpdateFirmware adds. */
  signed?: { requestId: number; certificate: string; signature: string }
}

type Send = (action: string, payload: object) => void

const LONGEST_MS = 120_000
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Left out, the charge point decides: one try. OCPP 1.6 §6.25. */
const attemptsOf = (payload: Payload): Attempts => ({
  tries: 1 + Math.max(0, optionalInteger(payload, "retries") ?? 0),
  waitMs: 1000 * Math.max(0, optionalInteger(payload, "retryInterval") ?? 30),
})

export class Transfers {
  readonly #station: Station
  #update: Update | undefined
  #firmwareStatus = "Idle"
  #diagnosticsStatus = "Idle"
  #log: { requestId: number; status: string } | undefined

  constructor(station: Station) {
    this.#station = station
  }

  /** What TriggerMessage can ask for here. */
  triggers(send: Send): Record<string, () => void> {
    return {
      FirmwareStatusNotification: () =>
        send("FirmwareStatusNotification", { status: this.#update?.signed ? "Idle" : this.#firmwareStatus }),
      DiagnosticsStatusNotification: () => send("DiagnosticsStatusNotification", { status: this.#diagnosticsStatus }),
    }
  }

  /** What ExtendedTriggerMessage can ask for here: the signed firmware status and the log. OCPP 1.6 security §5.5. */
  securityTriggers(send: Send): Record<string, () => void> {
    return {
      FirmwareStatusNotification: () => {
        const signed = this.#update?.signed
        const busy = signed && this.#firmwareStatus !== "Idle"
        const progress = busy ? { status: this.#firmwareStatus, requestId: signed.requestId } : { status: "Idle" }
        send("SignedFirmwareStatusNotification", progress)
      },
      LogStatusNotification: () => {
        send("LogStatusNotification", this.#log ?? { status: "Idle" })
      },
    }
  }

  get operations(): Record<string, CallHandler> {
    const { signedFirmware = false } = this.#station.options
    return {
      UpdateFirmware: (payload, after) => {
        // A charge point that knows signed updates takes no others. OCPP 1.6 security L01.FR.20.
        if (signedFirmware) throw new CallError("NotSupported", "only SignedUpdateFirmware")
        const from = Date.parse(text(payload, "retrieveDate"))
        this.#replaceUpdate({ location: text(payload, "location"), from, ...attemptsOf(payload) }, after)
        return {}
      },
      SignedUpdateFirmware: (payload, after) => {
        if (!signedFirmware) throw new CallError("NotSupported", "only UpdateFirmware")
        const firmware = object(payload, "firmware")
        const certificate = text(firmware, "signingCertificate")
        if (!readCertificate(certificate)) return { status: "InvalidCertificate" }
        const signed = { requestId: integer(payload, "requestId"), certificate, signature: text(firmware, "signature") }
        const from = Date.parse(text(firmware, "retrieveDateTime"))
        const update = { location: text(firmware, "location"), from, signed, ...attemptsOf(payload) }
        return { status: this.#replaceUpdate(update, after) ? "AcceptedCanceled" : "Accepted" }
      },
      GetDiagnostics: (payload, after) => {
        const location = text(payload, "location")
        const fileName = this.#fileName("diagnostics")
        after(() => void this.#uploadDiagnostics(location, fileName, attemptsOf(payload)))
        return { fileName }
      },
      GetLog: (payload, after) => {
        word(payload, "logType", "DiagnosticsLog", "SecurityLog")
        const location = text(object(payload, "log"), "remoteLocation")
        const requestId = integer(payload, "requestId")
        const replaces = this.#log !== undefined
        const filename = this.#fileName("log")
        after(() => void this.#uploadLog(location, filename, requestId, attemptsOf(payload)))
        return { status: replaces ? "AcceptedCanceled" : "Accepted", filename }
      },
    }
  }

  /** True when it takes the place of an update that was not finished. */
  #replaceUpdate(update: Update, after: (work: () => void) => void): boolean {
    const replaces = this.#update !== undefined
    this.#update = update
    after(() => void this.#install(update))
    return replaces
  }

  async #install(update: Update): Promise<void> {
    const last = await this.#carryOut(update)
    if (last === undefined) return
    await this.#tellFirmware(update, last)
    if (this.#update === update) this.#update = undefined
    this.#firmwareStatus = "Idle"
  }

  /** The way of an update to its last status; undefined when another took its place. */
  async #carryOut(update: Update): Promise<string | undefined> {
    const station = this.#station
    const { signed, from } = update
    const waitMs = from - Date.now()
    if (waitMs > 0) {
      if (signed) await this.#tellFirmware(update, "DownloadScheduled")
      await Bun.sleep(Math.min(waitMs, LONGEST_TIMER_MS))
    }
    if (this.#update !== update) return undefined
    await this.#tellFirmware(update, "Downloading")
    const image = await this.#repeat(update, () => this.#download(update.location))
    if (this.#update !== update) return undefined
    if (!image) return "DownloadFailed"
    await this.#tellFirmware(update, "Downloaded")
    if (signed && !isSigned(image, signed)) return "InvalidSignature"
    if (signed) await this.#tellFirmware(update, "SignatureVerified")
    while (station.connectors.some(({ session }) => session)) await station.aWhile(30)
    if (this.#update !== update) return undefined
    await this.#tellFirmware(update, "Installing")
    await station.aWhile(30)
    station.firmwareVersion = nextVersion(station.firmwareVersion)
    await station.restart()
    return "Installed"
  }

  async #download(location: string): Promise<Buffer> {
    const response = await fetch(location, { signal: AbortSignal.timeout(LONGEST_MS), ...this.#tls() })
    if (!response.ok) throw new Error(`download: ${response.status}`)
    return Buffer.from(await response.arrayBuffer())
  }

  async #uploadDiagnostics(location: string, fileName: string, attempts: Attempts): Promise<void> {
    const tell = (status: string) => {
      this.#diagnosticsStatus = status
      return this.#tell("DiagnosticsStatusNotification", { status })
    }
    await tell("Uploading")
    const done = await this.#repeat(attempts, () => this.#upload(location, fileName))
    await tell(done ? "Uploaded" : "UploadFailed")
    this.#diagnosticsStatus = "Idle"
  }

  async #uploadLog(location: string, filename: string, requestId: number, attempts: Attempts): Promise<void> {
    const log = { requestId, status: "Uploading" }
    this.#log = log
    await this.#tell("LogStatusNotification", log)
    const done = await this.#repeat(attempts, () => this.#upload(location, filename))
    if (this.#log !== log) return // cancelled by a newer request
    await this.#tell("LogStatusNotification", { requestId, status: done ? "Uploaded" : "UploadFailure" })
    this.#log = undefined
  }

  async #upload(location: string, fileName: string): Promise<true> {
    // A location that is a folder takes the file by its name; any other is the file's own address.
    const target = location.endsWith("/") ? location + encodeURIComponent(fileName) : location
    const body = this.#station.diagnostics
    const signal = AbortSignal.timeout(LONGEST_MS)
    const response = await fetch(target, { method: "PUT", body, signal, ...this.#tls() })
    if (!response.ok) throw new Error(`upload: ${response.status}`)
    return true
  }

  async #repeat<T>({ tries, waitMs }: Attempts, attempt: () => Promise<T>): Promise<T | undefined> {
    for (let left = tries; left > 0; left--) {
      try {
        return await attempt()
      } catch (cause) {
        this.#station.note(`transfer: ${String(cause)}`)
        if (left > 1) await Bun.sleep(waitMs)
      }
    }
    return undefined
  }

  #tellFirmware({ signed }: Update, status: string): Promise<void> {
    this.#firmwareStatus = status
    const action = signed ? "SignedFirmwareStatusNotification" : "FirmwareStatusNotification"
    return this.#tell(action, signed ? { status, requestId: signed.requestId } : { status })
  }

  /** After a restart the central system must have accepted us before it can be told. */
  async #tell(action: string, payload: object): Promise<void> {
    await this.#station.booted
    await this.#station.chargePoint.call(action, payload).catch(unobserved)
  }

  #fileName(kind: string): string {
    const { identity } = this.#station.chargePoint
    const instant = this.#station.timestamp().replace(/[^0-9T]/g, "")
    return `${kind}-${identity.replace(/[^\w.-]/g, "_").slice(0, 100)}-${instant}.txt`
  }

  #tls() {
    const { tls } = this.#station.options
    return tls ? { tls: { ...(tls.ca !== undefined && { ca: tls.ca }) } } : {}
  }
}

function isSigned(image: Buffer, { certificate, signature }: { certificate: string; signature: string }): boolean {
  try {
    const key = readCertificate(certificate)?.publicKey
    return key !== undefined && verify("sha256", image, key, Buffer.from(signature, "base64"))
  } catch {
    return false
  }
}

/** The version after this one: its last number, counted on. */
const nextVersion = (version: string) => version.replace(/\d+(?=\D*$)/, (digits) => String(Number(digits) + 1))
