/** The CALLs of the load, as bytes: made once, and changed in place where a number or an instant has to be another. */
import { payloadOffset, textFrame } from "./socket.ts"

/** Digits of a unique id's and of a register's number. */
const DIGITS = 8

/** A number in as many digits as every other. */
export const digits = (number: number): string => String(number).padStart(DIGITS, "0")

let instantMs = 0
let instant = new Date(0).toISOString()

/** Now, in ISO 8601; made once per ms. */
export function now(): string {
  const ms = Date.now()
  if (ms !== instantMs) {
    instantMs = ms
    instant = new Date(ms).toISOString()
  }
  return instant
}

const INSTANT = "2000-01-01T00:00:00.000Z"
const REGISTER = "00000000"

/** A CALL that is sent again and again, with another id, another instant and another register each time. */
export class PreparedCall {
  readonly #bytes: Buffer
  readonly #idAt: number
  readonly #instantAt: number
  readonly #registerAt: number

  /** @param payload where it says INSTANT and REGISTER, the frame will say now and the number */
  constructor(idPrefix: string, action: string, payload: object) {
    const text = `[2,"${idPrefix}${digits(0)}","${action}",${JSON.stringify(payload)}]`
    this.#bytes = textFrame(text)
    const offset = payloadOffset(Buffer.byteLength(text))
    const place = (wanted: string) => (text.includes(wanted) ? offset + text.indexOf(wanted) : -1)
    this.#idAt = offset + 4 + idPrefix.length
    this.#instantAt = place(INSTANT)
    this.#registerAt = place(`"${REGISTER}"`) < 0 ? -1 : place(`"${REGISTER}"`) + 1
  }

  /** The frame with this number in its id and its register. Valid until the next call. */
  stamped(number: string): Buffer {
    this.#bytes.write(number, this.#idAt, "latin1")
    if (this.#instantAt >= 0) this.#bytes.write(now(), this.#instantAt, "latin1")
    if (this.#registerAt >= 0) this.#bytes.write(number, this.#registerAt, "latin1")
    return this.#bytes
  }
}

/** A CALL that is sent once. */
export const callFrame = (id: string, action: string, payload: object): Buffer =>
  textFrame(JSON.stringify([2, id, action, payload]))

/** What one reading of five measurands is in most of the field: about 800 bytes with its frame. OCPP 1.6 §4.7. */
export function meterValues(transactionId: number | undefined, timestamp = INSTANT, register = REGISTER): object {
  const sampled = (value: string, measurand: string, unit: string, phase?: string) => ({
    value,
    context: "Sample.Periodic",
    format: "Raw",
    measurand,
    ...(phase !== undefined && { phase }),
    location: "Outlet",
    unit,
  })
  return {
    connectorId: 1,
    ...(transactionId !== undefined && { transactionId }),
    meterValue: [
      {
        timestamp,
        sampledValue: [
          sampled(register, "Energy.Active.Import.Register", "Wh"),
          sampled("10873.40", "Power.Active.Import", "W"),
          sampled("15.76", "Current.Import", "A", "L1"),
          sampled("230.10", "Voltage", "V", "L1-N"),
          sampled("16.00", "Current.Offered", "A"),
        ],
      },
    ],
  }
}

/** How the chargers of the load introduce themselves. OCPP 1.6 §4.2. */
export const IDENTIFICATION = { chargePointVendor: "Busbar", chargePointModel: "Load", firmwareVersion: "1.0.0" }
