/** Passwords of charge points: hashed with a key and a salt, compared in constant time. Security white paper A01.FR.06-09. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

/** AuthorizationKey is 16 to 20 bytes, written as 32 to 40 hexadecimal digits. Security white paper §7.2. */
const HEXADECIMAL_KEY = /^(?:[0-9a-f]{2}){16,20}$/i
const HEXADECIMAL = /^(?:[0-9a-f]{2})+$/i
const SCHEME = "hmac-sha256"
const SALT_BYTES = 16
/** Longer ones are no password of a charge point; they are not worth the work of a hash. */
const MAX_PRESENTED_BYTES = 512

/** The bytes that an operator's text stands for: those of a key in hexadecimal digits, else the text's own in UTF-8. */
const bytesOf = (password: string): Buffer =>
  HEXADECIMAL_KEY.test(password) ? Buffer.from(password, "hex") : Buffer.from(password, "utf8")

/** How a presented password met the stored one. `HexText`: a key's hexadecimal digits stood where its bytes are due. */
export type PasswordMatch = "Bytes" | "HexText" | "None"

export class Passwords {
  readonly #secretKey: string
  /** What a password is compared with where none is stored, so that this takes as long. */
  readonly #nobodys: string

  constructor(secretKey: string) {
    this.#secretKey = secretKey
    this.#nobodys = this.hash(randomBytes(20).toString("hex"))
  }

  /** The form to be stored. `password` is what the operator gave: 32 to 40 hexadecimal digits, or plain text. */
  hash(password: string): string {
    const salt = randomBytes(SALT_BYTES)
    return [SCHEME, salt.toString("base64url"), this.#mac(salt, bytesOf(password)).toString("base64url")].join("$")
  }

  /**
   * Whether the bytes in the Authorization header are the password behind `hash`; without a hash never, after the same
   * work. Charge points send the key's bytes or, against OCPP-J 1.6 §6.2.2, its hexadecimal digits in either case.
   */
  match(hash: string | null, presented: Uint8Array): PasswordMatch {
    const [scheme, saltText = "", macText = ""] = (hash ?? this.#nobodys).split("$")
    if (scheme !== SCHEME || presented.length > MAX_PRESENTED_BYTES) return "None"
    const salt = Buffer.from(saltText, "base64url")
    const expected = Buffer.from(macText, "base64url")
    const text = Buffer.from(presented).toString("latin1")
    // Both are computed whatever the first one says: how long it takes tells nothing.
    const asBytes = isSame(this.#mac(salt, presented), expected)
    const asHexText = isSame(this.#mac(salt, Buffer.from(HEXADECIMAL.test(text) ? text : "", "hex")), expected)
    if (hash === null) return "None"
    if (asBytes) return "Bytes"
    return asHexText && text.length > 0 ? "HexText" : "None"
  }

  #mac(salt: Uint8Array, password: Uint8Array): Buffer {
    return createHmac("sha256", this.#secretKey).update(salt).update(password).digest()
  }
}

const isSame = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other)
