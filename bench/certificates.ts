/** The certificates of a charge point: its store of roots, its key and its signing request. OCPP 1.6 security §6. */
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto"

export interface CertificateHashData {
  hashAlgorithm: string
  issuerNameHash: string
  issuerKeyHash: string
  serialNumber: string
}

interface Der {
  tag: number
  /** The whole element, and what it holds. */
  whole: Buffer
  content: Buffer
}

/** The elements that lie side by side in DER. */
export function elements(der: Buffer): Der[] {
  const found: Der[] = []
  for (let at = 0; at < der.length;) {
    const first = der.readUInt8(at + 1)
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)
    const start = at + 2 + lengthBytes
    const end = start + length
    found.push({ tag: der.readUInt8(at), whole: der.subarray(at, end), content: der.subarray(start, end) })
    at = end
  }
  return found
}

/** One element of DER; up to 65535 bytes. */
export function element(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const length = content.length
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), content])
}

const SEQUENCE = 0x30
const SET = 0x31
const hex = (text: string) => Buffer.from(text, "hex")
const ORGANIZATION = hex("060355040a")
const COMMON_NAME = hex("0603550403")
const ECDSA_WITH_SHA256 = hex("06082a8648ce3d040302")

export const pem = (label: string, der: Buffer) =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd()}\n-----END ${label}-----\n`

/** A PKCS#10 request with an ECDSA key. RFC 2986 §4. */
export function certificateSigningRequest(commonName: string, organization: string): { csr: string; key: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const attribute = (type: Buffer, value: string) =>
    element(SET, element(SEQUENCE, type, element(0x0c, Buffer.from(value))))
  const name = element(SEQUENCE, attribute(ORGANIZATION, organization), attribute(COMMON_NAME, commonName))
  const publicDer = publicKey.export({ type: "spki", format: "der" })
  const info = element(SEQUENCE, element(0x02, Buffer.of(0)), name, publicDer, element(0xa0))
  const signature = element(0x03, Buffer.of(0), sign("sha256", info, privateKey))
  return {
    csr: pem("CERTIFICATE REQUEST", element(SEQUENCE, info, element(SEQUENCE, ECDSA_WITH_SHA256), signature)),
    key: privateKey,
  }
}

/** What identifies a self-signed root. OCPP 1.6 security §6.1. */
function hashData({ raw, serialNumber }: X509Certificate): CertificateHashData {
  const [certificate] = elements(raw)
  const [toBeSigned] = certificate ? elements(certificate.content) : []
  // An explicit version comes first in all but the oldest certificates; then serial number, algorithm, issuer, …
  const fields = toBeSigned ? elements(toBeSigned.content).filter(({ tag }) => tag !== 0xa0) : []
  const issuer = fields[2]?.whole ?? Buffer.alloc(0)
  const [, keyBits] = fields[5] ? elements(fields[5].content) : []
  const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex")
  return {
    hashAlgorithm: "SHA256",
    issuerNameHash: sha256(issuer),
    issuerKeyHash: sha256(keyBits?.content.subarray(1) ?? Buffer.alloc(0)),
    serialNumber: serialNumber.replace(/^0+(?=.)/, "").toLowerCase(),
  }
}

/** Reads a PEM certificate; undefined when it is none. */
export function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

export class CertificateStore {
  #roots: { type: string; hash: CertificateHashData }[] = []
  readonly #room: number

  constructor(room: number) {
    this.#room = room
  }

  /** InstallCertificate.req: Rejected when it is no valid certificate or there is no room. */
  install(type: string, text: string): "Accepted" | "Rejected" {
    const certificate = readCertificate(text)
    const valid = certificate && Date.parse(certificate.validTo) > Date.now()
    if (!valid || this.#roots.length >= this.#room) return "Rejected"
    const hash = hashData(certificate)
    this.#roots = this.#roots.filter((root) => root.type !== type || !same(root.hash, hash))
    this.#roots.push({ type, hash })
    return "Accepted"
  }

  installed(type: string): CertificateHashData[] {
    return this.#roots.filter((root) => root.type === type).map(({ hash }) => hash)
  }

  /** DeleteCertificate.req. */
  delete(hash: Partial<CertificateHashData>): "Accepted" | "NotFound" {
    const before = this.#roots.length
    this.#roots = this.#roots.filter((root) => !same(root.hash, hash))
    return this.#roots.length < before ? "Accepted" : "NotFound"
  }
}

/** Hex digits compare without letter case. */
function same(a: CertificateHashData, b: Partial<CertificateHashData>): boolean {
  const equal = (one: string, other = "") => one.toLowerCase() === other.toLowerCase()
  return (
    equal(a.hashAlgorithm, b.hashAlgorithm) &&
    equal(a.issuerNameHash, b.issuerNameHash) &&
    equal(a.issuerKeyHash, b.issuerKeyHash) &&
    equal(a.serialNumber, b.serialNumber)
  )
}
