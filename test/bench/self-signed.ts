/** A certificate that vouches for itself, made here so that no test needs a program beside Bun. RFC 5280 §4.1. */
import { type KeyObject, sign } from "node:crypto"
import { element, pem } from "../../bench/certificates.ts"

const SEQUENCE = 0x30
const oid = (hex: string) => Buffer.from(`06${hex}`, "hex")

/** Valid from 2020 to 2049, with an EC key, in PEM. */
export function selfSigned(keys: { privateKey: KeyObject; publicKey: KeyObject }, commonName: string): string {
  const algorithm = element(SEQUENCE, oid("082a8648ce3d040302"))
  const attribute = element(SEQUENCE, oid("03550403"), element(0x0c, Buffer.from(commonName)))
  const name = element(SEQUENCE, element(0x31, attribute))
  const instant = (text: string) => element(0x17, Buffer.from(text))
  const toBeSigned = element(
    SEQUENCE,
    element(0xa0, element(0x02, Buffer.of(2))),
    element(0x02, Buffer.of(0x0a, 0x2f)),
    algorithm,
    name,
    element(SEQUENCE, instant("200101000000Z"), instant("491231235959Z")),
    name,
    keys.publicKey.export({ type: "spki", format: "der" }),
  )
  const signature = element(0x03, Buffer.of(0), sign("sha256", toBeSigned, keys.privateKey))
  return pem("CERTIFICATE", element(SEQUENCE, toBeSigned, algorithm, signature))
}
