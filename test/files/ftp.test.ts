/** FTP for charge points that know nothing else, with a client that is not ours. RFC 959, RFC 4217. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { generateKeyPairSync } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Readable, Writable } from "node:stream"
import { Client } from "basic-ftp"
import { selfSigned } from "../bench/self-signed.ts"
import { type Image, imageOn, sha256, type Taking, takingChargePoint } from "../support/files.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { until } from "../support/until.ts"

const IMAGE = crypto.getRandomValues(new Uint8Array(400_000))
const PORTS = "42000-42999"
const WRONG = /530/

let folder: string
let node: TestNode
let image: Image
let count = 0
const before = process.listenerCount("SIGTERM")

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "busbar-ftp-"))
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const key = keys.privateKey.export({ type: "pkcs8", format: "pem" })
  await Promise.all([
    Bun.write(join(folder, "key.pem"), key),
    Bun.write(join(folder, "cert.pem"), selfSigned(keys, "localhost")),
  ])
  node = await startTestNode({
    FTP_PORT: "0",
    FTP_PASSIVE_PORTS: PORTS,
    FTP_TLS_CERT: join(folder, "cert.pem"),
    FTP_TLS_KEY: join(folder, "key.pem"),
    DIAGNOSTICS_MAX_BYTES: "1000000",
  })
  image = await imageOn(node, IMAGE)
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const newChargePoint = (): Promise<Taking> => takingChargePoint(node, `FTP-${++count}`)

/** Logs in as the location says; `change` is what somebody else would try. */
async function logIn(location: string, secure = false, change: { user?: string; password?: string } = {}) {
  const { hostname: host, port, username: user, password } = new URL(location)
  const client = new Client(10_000)
  const secureOptions = { rejectUnauthorized: false }
  try {
    await client.access({ host, port: Number(port), user, password, secure, secureOptions, ...change })
  } catch (cause) {
    client.close()
    throw cause
  }
  return Object.assign(client, { [Symbol.dispose]: () => client.close() })
}

async function download(client: Client, name: string, from = 0): Promise<Uint8Array> {
  const parts: Buffer[] = []
  const into = new Writable({
    write(part, _encoding, done) {
      parts.push(part)
      done()
    },
  })
  await client.downloadTo(into, name, from)
  return Buffer.concat(parts)
}

/** What a promise was rejected with, as text. */
const refusal = (promise: Promise<unknown>): Promise<string> => promise.then(() => "nothing was refused", String)

describe.each([
  ["in the clear", false],
  ["with explicit TLS", true],
])("%s", (_, secure) => {
  test("an image is fetched, whole and from the middle", async () => {
    await using it = await newChargePoint()
    await it.updateFirmware(node, { firmwareImage: image.id, protocol: "FTP" })
    expect(it.location).toMatch(/^ftp:\/\/busbar:[\w-]{32}@127\.0\.0\.1:\d+\/fw\.bin$/)
    using client = await logIn(it.location, secure)
    expect(await client.size("fw.bin")).toBe(IMAGE.length)
    expect(sha256(await download(client, "/fw.bin"))).toBe(image.sha256)
    expect(await download(client, "fw.bin", 399_990)).toEqual(Buffer.from(IMAGE.slice(399_990)))
    expect((await client.list()).map(({ name }) => name)).toEqual(["fw.bin"])
  })

  test("diagnostics are brought, once", async () => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node, { protocol: "FTP" })
    using client = await logIn(it.location, secure)
    await client.uploadFrom(Readable.from([Buffer.alloc(300_000, "a"), Buffer.alloc(300_000, "b")]), "log.txt")
    expect(await it.diagnostics(node)).toMatchObject([
      {
        state: "RECEIVED",
        fileName: "log.txt",
        sizeBytes: 600_000,
        sha256: sha256("a".repeat(300_000) + "b".repeat(300_000)),
      },
    ])
    expect(await refusal(client.uploadFrom(Readable.from(["again"]), "log.txt"))).toContain("550")
    expect(await refusal(logIn(it.location))).toMatch(WRONG)
  })
})

test("a login opens its own transfer and nothing else", async () => {
  await using it = await newChargePoint()
  await it.updateFirmware(node, { firmwareImage: image.id, protocol: "FTP" })
  using fetching = await logIn(it.location)
  for (const name of ["other.bin", "../../../etc/passwd", "/etc/passwd", "..", ""])
    expect(await refusal(download(fetching, name))).toMatch(/55[01]|501/)
  expect(await refusal(fetching.uploadFrom(Readable.from(["x"]), "fw.bin"))).toContain("550")
  for (const command of [
    "DELE fw.bin",
    "MKD x",
    "RMD x",
    "RNFR fw.bin",
    "SITE CHMOD 777 fw.bin",
    "APPE x",
    "STOU",
    "PORT 127,0,0,1,0,22",
    "EPRT |1|127.0.0.1|22|",
  ])
    expect(await refusal(fetching.send(command))).toContain("502")

  await it.getDiagnostics(node, { protocol: "FTP" })
  using bringing = await logIn(it.location)
  expect(await bringing.list()).toEqual([])
  expect(await refusal(download(bringing, "fw.bin"))).toContain("551")
  await bringing.cd("any/folder")
  await bringing.uploadFrom(Readable.from(["x"]), "../../../tmp/passwd")
  expect(await it.diagnostics(node)).toMatchObject([{ state: "RECEIVED", fileName: "passwd" }])
})

test("nobody logs in without a link's own user and password", async () => {
  await using it = await newChargePoint()
  await it.getDiagnostics(node, { protocol: "FTP" })
  expect(await refusal(logIn(it.location, false, { password: "x".repeat(32) }))).toMatch(WRONG)
  expect(await refusal(logIn(it.location, false, { password: "" }))).toMatch(/530|501/)
  expect(await refusal(logIn(it.location, false, { user: "anonymous" }))).toMatch(WRONG)
  expect(await refusal(logIn(it.location, false, { user: "root", password: "root" }))).toMatch(WRONG)
})

test("a file that is too large is not taken, and spends nothing", async () => {
  await using it = await newChargePoint()
  await it.getDiagnostics(node, { protocol: "FTP" })
  {
    using client = await logIn(it.location)
    const large = Readable.from(Array.from({ length: 11 }, () => Buffer.alloc(100_000)))
    expect(await refusal(client.uploadFrom(large, "large.txt"))).not.toBe("nothing was refused")
  }
  await until("nothing is receiving", async () => (await it.diagnostics(node))[0]?.state === "EXPECTED")
  using client = await logIn(it.location)
  await client.uploadFrom(Readable.from(["small"]), "small.txt")
  expect(await it.diagnostics(node)).toMatchObject([{ state: "RECEIVED", sizeBytes: 5 }])
})

test("a file whose sender goes away in the middle is not taken for whole, and may come again", async () => {
  await using it = await newChargePoint()
  await it.getDiagnostics(node, { protocol: "FTP" })
  {
    using client = await logIn(it.location)
    const half = new PassThrough()
    half.write("half of ")
    const broken = refusal(client.uploadFrom(half, "log.txt"))
    await until("it is receiving", async () => (await it.diagnostics(node))[0]?.state === "RECEIVING")
    client.close()
    expect(await broken).not.toBe("nothing was refused")
  }
  await until("it broke off", async () => (await it.diagnostics(node))[0]?.state === "EXPECTED")
  using client = await logIn(it.location)
  await client.uploadFrom(Readable.from(["the whole"]), "log.txt")
  expect(await it.diagnostics(node)).toMatchObject([{ state: "RECEIVED", sha256: sha256("the whole") }])
})

test("a charge point that knows FTP alone is given an FTP link without being asked. OCPP 1.6 §9.1", async () => {
  await using it = await newChargePoint()
  it.chargePoint.onCall("GetConfiguration", () => ({
    configurationKey: [{ key: "SupportedFileTransferProtocols", readonly: true, value: "FTP,FTPS" }],
  }))
  await it.getDiagnostics(node)
  expect(it.location).toStartWith("http://")
  await it.getConfiguration(node)
  await it.getDiagnostics(node)
  expect(it.location).toStartWith("ftp://")
  await it.getDiagnostics(node, { protocol: "HTTP" })
  expect(it.location).toStartWith("http://")
})

test("the end of the process stays the node's own affair", () => {
  expect(process.listenerCount("SIGTERM")).toBe(before)
})
