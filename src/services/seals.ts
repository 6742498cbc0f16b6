/** What has to be kept and must not be read: sealed with a key that only the nodes have. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"

/** It was sealed with another key, for another place, or changed. */
export class BrokenSeal extends Error {
  override readonly name = "BrokenSeal"
}

const CIPHER = "aes-256-gcm"
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Stands before every sealed text, so that another way of sealing can be told from this one. */
const SCHEME = "gcm1."

export class Seals {
  readonly #sealKey: Uint8Array
  readonly #digestKey: Uint8Array

  constructor(secretKey: string) {
    const derived = (purpose: string) => new Uint8Array(hkdfSync("sha256", secretKey, "", purpose, KEY_BYTES))
    this.#sealKey = derived("busbar sealed request")
    this.#digestKey = derived("busbar request digest")
  }

  /** The text, readable again only by `open` with the same place. */
  seal(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#sealKey, nonce).setAAD(Buffer.from(place))
    const hidden = Buffer.concat([cipher.update(text, "utf8"), cipher.final()])
    return SCHEME + Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString("base64url")
  }

  /** @throws BrokenSeal */
  open(sealed: string, place: string): string {
    try {
      if (!sealed.startsWith(SCHEME)) throw new BrokenSeal("it is sealed in no known way")
      const bytes = Buffer.from(sealed.slice(SCHEME.length), "base64url")
      const decipher = createDecipheriv(CIPHER, this.#sealKey, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const hidden = bytes.subarray(NONCE_BYTES + TAG_BYTES)
      return Buffer.concat([decipher.update(hidden), decipher.final()]).toString("utf8")
    } catch (cause) {
      throw cause instanceof BrokenSeal ? cause : new BrokenSeal("the seal is broken", { cause })
    }
  }

  /** Tells equal values from others without telling what they are; the order of an object's fields does not count. */
  digest(value: unknown): string {
    return createHmac("sha256", this.#digestKey).update(canonical(value)).digest("base64url")
  }
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === "object" && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)))
      : field,
  )
