// ISO 8601 instants as Charge Points write them (OCPP 1.6 §3.14): the form every reader understands, the wider set the official
// schema lets through, and what can still be understood beyond that.

const usual = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/
const official = /^(\d{4})-(\d\d)-(\d\d)[tT\s](\d\d):(\d\d):(\d\d)(\.\d+)?([zZ]|[+-]\d\d(?::?\d\d)?)?$/
const readable =
  /^\s*(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)[tT\s_]\s*(\d\d):?(\d\d)(?::?(\d\d)([.,]\d+)?)?\s*([zZ]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*$/

// An offset must not carry an instant out of the years of four digits.
const earliest = Date.parse("0000-01-01T00:00:00.000Z")
const latest = Date.parse("9999-12-31T23:59:59.999Z")

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isCalendarDay(year: number, month: number, day: number): boolean {
  const leapDay = month === 2 && day === 29
  if (leapDay) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day >= 1 && day <= (monthDays[month - 1] ?? 0)
}

/** A leap second ends a day; no other minute has 61. */
function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  return hour <= 23 && minute <= 59 && (second <= 59 || (second === 60 && hour === 23 && minute === 59))
}

/**
 * Whether the official schema takes this text for a date-time. It does so without a zone, too, with a space for the T and with
 * an offset of hours only.
 */
export function isDateTime(text: string): boolean {
  const match = official.exec(text)
  if (!match) return false
  const [, year, month, day, hour, minute, second] = match
  return (
    isCalendarDay(Number(year), Number(month), Number(day)) && isTimeOfDay(Number(hour), Number(minute), Number(second))
  )
}

/** Whether `Date` reads this text as the one instant it means: the form nearly every Charge Point sends. */
export function isUsualDateTime(text: string): boolean {
  // Every reading has one of these: nothing is cut out of it, its digits stand where the form has them.
  return (
    usual.test(text) &&
    isCalendarDay(twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8))
  )
}

const ZERO = "0".charCodeAt(0)

const twoDigits = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO

export interface ReadDateTime {
  /** The instant, in a form that `isUsualDateTime` accepts. */
  readonly value: string
  /** Whether the zone was missing; the time is then taken as UTC. */
  readonly zoneMissing: boolean
}

/** Understands more than the official schema does; undefined when the text names no instant. Keeps the usual form as it is. */
export function readDateTime(text: string): ReadDateTime | undefined {
  if (isUsualDateTime(text)) return { value: text, zoneMissing: false }
  // One blank at each place: a long run of them would be shared out among the places in every way there is.
  const match = readable.exec(text.replace(/\s+/g, " "))
  if (!match) return undefined
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone] = match
  if (!isCalendarDay(Number(year), Number(month), Number(day))) return undefined
  if (!isTimeOfDay(Number(hour), Number(minute), Number(second))) return undefined
  // Date knows no leap second: take the second before and step over.
  const leap = second === "60" ? 1000 : 0
  const decimals = fraction.replace(",", ".")
  const utc = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${leap ? "59" : second}${decimals}Z`)
  const instant = Math.min(Math.max(utc + leap - offsetMs(zone), earliest), latest)
  return { value: new Date(instant).toISOString(), zoneMissing: zone === undefined }
}

function offsetMs(zone: string | undefined): number {
  if (zone?.[0] !== "+" && zone?.[0] !== "-") return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", ""))
  return (zone[0] === "-" ? -minutes : minutes) * 60_000
}
