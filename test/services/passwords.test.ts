import { describe, expect, test } from "bun:test"
import { Passwords } from "../../src/services/passwords.ts"

const passwords = new Passwords("a secret key")
const bytes = (text: string) => new TextEncoder().encode(text)

describe("a stored password", () => {
  test("shows neither the password nor that two are the same", () => {
    const one = passwords.hash("same password")
    expect(one).not.toContain("same password")
    expect(passwords.hash("same password")).not.toBe(one)
  })

  test("is of use only with the key it was hashed with", () => {
    const hash = passwords.hash("password")
    expect(passwords.match(hash, bytes("password"))).toBe("Bytes")
    expect(new Passwords("another key").match(hash, bytes("password"))).toBe("None")
  })

  test.each([16, 17, 18, 19, 20])(
    "of %d bytes is given as hexadecimal digits and presented as bytes or digits",
    (size) => {
      const key = Buffer.from(Array.from({ length: size }, (_, index) => (index * 37 + 200) % 256))
      const hash = passwords.hash(key.toString("hex").toUpperCase())
      expect(passwords.match(hash, key)).toBe("Bytes")
      expect(passwords.match(hash, bytes(key.toString("hex")))).toBe("HexText")
      expect(passwords.match(hash, bytes(key.toString("hex").toUpperCase()))).toBe("HexText")
      expect(passwords.match(hash, key.subarray(1))).toBe("None")
    },
  )

  test.each(["x", "deadbeef", "0".repeat(31), "0".repeat(42), "pass:word", "pässwörd"])("%s is plain text", (text) => {
    const hash = passwords.hash(text)
    expect(passwords.match(hash, bytes(text))).toBe("Bytes")
    expect(passwords.match(hash, bytes(`${text}x`))).toBe("None")
    expect(passwords.match(hash, new Uint8Array())).toBe("None")
  })

  test("that is not there, or is not ours, is met by nothing", () => {
    for (const hash of [null, "", "plain", "hmac-sha256$$", "md5$a$b"]) {
      expect(passwords.match(hash, bytes("password"))).toBe("None")
      expect(passwords.match(hash, new Uint8Array())).toBe("None")
    }
  })
})
