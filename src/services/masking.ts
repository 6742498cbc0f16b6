/** Secrets never reach books, logs or screens: what is kept of a request, a confirmation or a frame has them masked. */

const MASK = "***"

// Configuration keys and fields whose value is a secret; AuthorizationKey is the Basic password. Security white paper §7.2.
const SECRET_NAME =
  /authorization_?key|passw|passphrase|passcode|^pwd|pwd$|secret|credential|token$|api_?key|private_?key|psk$|^pin$/i

// `scheme://user:password@`, wherever in a text.
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/?#"'<>]+@/gi
// Busbar's own links: the token in the path is all that they ask for.
const LINK_TOKEN = /(\/files\/(?:download|upload)\/)[\w-]+/g
// `?token=…`, `&sig=…`: links that open without a login.
const URL_SECRET =
  /([?&](?:[\w.-]*(?:token|signature|secret|password|passwd|credential|(?:api|access)[_-]?key)|sig|key|pass|pwd|auth)=)[^&#\s"'<>]+/gi
// `password: …`, `"password":"…"` in free text, as in the data of a DataTransfer.
const NAMED_SECRET =
  /((?:authorization_?key|passw\w{0,32}|passphrase|secret|token|api_?key)["']?\s*[:=]\s*["']?)[^\s"',;&}\]]+/gi

// A frame with none of these has nothing to hide. An escaped character may hide any of them.
const SUSPICIOUS =
  /:\/\/|\\|authorization_?key|passw|passphrase|passcode|pwd|secret|credential|token|api_?key|private_?key|psk|"pin"/i

/** Whether a configuration key's value must not be shown. Letter case carries no meaning. OCPP 1.6 §7.29. */
export const isSecretKey = (key: string): boolean => SECRET_NAME.test(key)

/** The text with the credentials, link tokens and secret parameters of every URL in it masked. */
export function maskUrl(text: string): string {
  return text.replace(URL_CREDENTIALS, `$1${MASK}@`).replace(LINK_TOKEN, `$1${MASK}`).replace(URL_SECRET, `$1${MASK}`)
}

/**
 * What may be kept of a request's or a confirmation's payload: a copy in which every text has its URLs masked, and
 * secret fields and secret configuration keys (`{ key, value }`) have no value.
 */
export function maskPayload(payload: unknown): unknown {
  if (typeof payload === "string") return maskText(payload)
  if (Array.isArray(payload)) return payload.map(maskPayload)
  if (!isObject(payload)) return payload
  const isSecretEntry = typeof payload["key"] === "string" && isSecretKey(payload["key"])
  return Object.fromEntries(
    Object.entries(payload).map(([name, field]) => {
      const isSecret = (isSecretEntry && name === "value") || (typeof field === "string" && isSecretKey(name))
      return [name, isSecret ? MASK : maskPayload(field)]
    }),
  )
}

/** What may be kept of a frame's text: the text itself where it holds no secret. */
export function maskFrameText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text
  try {
    const frame: unknown = JSON.parse(text)
    const masked = maskPayload(frame)
    return Bun.deepEquals(frame, masked) ? text : JSON.stringify(masked)
  } catch {
    return maskText(text)
  }
}

const maskText = (text: string): string => maskUrl(text).replace(NAMED_SECRET, `$1${MASK}`)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
