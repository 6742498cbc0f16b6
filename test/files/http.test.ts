/** Files over HTTP, on both listeners, with clients that know nothing of Busbar: fetch, and a bare socket. */
import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import { join } from "node:path"
import { hashToken } from "../../src/services/tokens.ts"
import { bringImage, deskOf, type Image, imageOn, sha256, type Taking, takingChargePoint } from "../support/files.ts"
import { graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"
import { follow } from "../support/operator.ts"
import { until } from "../support/until.ts"

const HOUR_MS = 3_600_000
const MAX_IMAGE = 2_000_000
const MAX_DIAGNOSTICS = 1_000_000
const IMAGE = crypto.getRandomValues(new Uint8Array(50_000))
const OTHERS_TOKEN = "a-token-of-another-organisation"
const VIEWERS_TOKEN = "a-token-of-a-viewer"

const clock = { ahead: 0, now: () => Date.now() + clock.ahead }
let node: TestNode
let image: Image
let count = 0

beforeAll(async () => {
  node = await startTestNode(
    { FIRMWARE_MAX_BYTES: String(MAX_IMAGE), DIAGNOSTICS_MAX_BYTES: String(MAX_DIAGNOSTICS), FILE_LINK_LIFETIME: "1" },
    clock,
  )
  addToken("default", "Viewer", VIEWERS_TOKEN)
  addToken("other", "Admin", OTHERS_TOKEN)
  image = await imageOn(node, IMAGE, { vendor: "Volt" })
})
afterAll(() => node[Symbol.asyncDispose]())

/** Nothing in Busbar makes organisations: an operator of many brings them along. */
function addToken(organisationId: string, role: string, token: string): void {
  using db = new Database(join(node.dataDir, "busbar.sqlite"))
  db.run("PRAGMA busy_timeout = 5000")
  db.run("INSERT OR IGNORE INTO organisations (id, name, created_at) VALUES (?, ?, 0)", [
    organisationId,
    organisationId,
  ])
  db.run("INSERT INTO api_tokens (id, organisation_id, name, role, token_hash, created_at) VALUES (?, ?, ?, ?, ?, 0)", [
    token,
    organisationId,
    token,
    role,
    hashToken(token),
  ])
}

const newChargePoint = (): Promise<Taking> => takingChargePoint(node, `FILES-${++count}`)

/** The same link at the listener for people. */
const atTheDesk = (location: string): string => deskOf(node) + new URL(location).pathname

const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

const statusOf = async (location: string, init?: RequestInit): Promise<number> => (await fetch(location, init)).status

/** A body that the test gives out piece by piece. */
function slowBody() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  return { readable, say: (text: string) => writer.write(Buffer.from(text)), end: () => writer.close() }
}

describe("an image", () => {
  test("is known with its length and checksum, to its own organisation", async () => {
    expect(image).toMatchObject({ sizeBytes: IMAGE.length, sha256: sha256(IMAGE), fileName: "fw.bin" })
    const query = `{ firmwareImages(filter: {vendor: "Volt"}) { edges { node { id version sha256 downloadPath } } } }`
    const seen = async (token: string) =>
      (
        await graphqlOver(
          node.graphqlUrl,
          token,
        )<{ firmwareImages: { edges: { node: Record<string, unknown> }[] } }>(query)
      ).firmwareImages.edges.map((edge) => edge.node)
    expect(await seen(node.token)).toMatchObject([{ id: image.id, version: "1.0", sha256: image.sha256 }])
    expect(await seen(VIEWERS_TOKEN)).toMatchObject([{ downloadPath: null }])
    expect(await seen(OTHERS_TOKEN)).toEqual([])
    const [{ downloadPath } = {}] = await seen(node.token)
    const back = await fetch(`${deskOf(node)}${String(downloadPath)}`, as(node.token))
    expect(sha256(await back.bytes())).toBe(image.sha256)
    expect(await statusOf(`${deskOf(node)}${String(downloadPath)}`, as(OTHERS_TOKEN))).toBe(404)
  })

  test.each([
    ["without a token", "", {}, IMAGE, 401],
    ["by a VIEWER", VIEWERS_TOKEN, {}, IMAGE, 403],
    ["without a version", undefined, { version: "" }, IMAGE, 400],
    ["under the name of a path", undefined, { fileName: "../../etc/passwd" }, IMAGE, 400],
    ["without a byte", undefined, {}, new Uint8Array(), 400],
    ["that is too large", undefined, {}, new Uint8Array(MAX_IMAGE + 1), 413],
  ])("is not taken %s", async (_, token, query, bytes, status) => {
    expect((await bringImage(node, bytes, query, token)).status).toBe(status)
  })

  test("that says no length is measured as it comes", async () => {
    const body = new Blob([new Uint8Array(MAX_IMAGE + 100_000)]).stream()
    const url = `${deskOf(node)}/files/firmware?name=Large&version=1&fileName=large.bin`
    const answer = fetch(url, { method: "POST", body, ...as(node.token) })
    // Whoever is told "too large" in the middle of speaking may not hear it.
    expect(await answer.then(({ status }) => status).catch(() => 413)).toBe(413)
  })

  test("reaches the charge point by a link that tells ranges, length and checksum. OCPP 1.6 §5.19", async () => {
    await using it = await newChargePoint()
    expect(await it.updateFirmware(node, { firmwareImage: image.id, retries: 2 })).toMatchObject({
      __typename: "UpdateFirmwareConfirmation",
    })
    expect(Object.keys(it.told[0] ?? {}).sort()).toEqual(["location", "retries", "retrieveDate"])
    for (const location of [it.location, atTheDesk(it.location)]) {
      const whole = await fetch(location)
      expect(whole.status).toBe(200)
      expect(whole.headers.get("content-length")).toBe(String(IMAGE.length))
      expect(whole.headers.get("etag")).toBe(`"${image.sha256}"`)
      const digest = Buffer.from(image.sha256, "hex").toString("base64")
      expect(whole.headers.get("repr-digest")).toBe(`sha-256=:${digest}:`)
      expect(sha256(await whole.bytes())).toBe(image.sha256)

      const head = await fetch(location, { method: "HEAD" })
      expect([head.status, head.headers.get("content-length")]).toEqual([200, String(IMAGE.length)])

      const part = await fetch(location, { headers: { range: "bytes=100-299" } })
      expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 100-299/${IMAGE.length}`])
      expect(await part.bytes()).toEqual(IMAGE.slice(100, 300))

      const other = await fetch(location, { headers: { range: "bytes=100-299", "if-range": '"another"' } })
      expect([other.status, (await other.bytes()).length]).toEqual([200, IMAGE.length])

      const beyond = await fetch(location, { headers: { range: `bytes=${IMAGE.length}-` } })
      expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${IMAGE.length}`])

      expect(await statusOf(location, { headers: { "if-none-match": `"${image.sha256}"` } })).toBe(304)
      expect(await statusOf(location, { method: "DELETE" })).toBe(405)
    }
  })

  test("is at no other address, and every other address looks the same", async () => {
    await using it = await newChargePoint()
    await it.updateFirmware(node, { firmwareImage: image.id })
    const { origin, pathname } = new URL(it.location)
    const [, , , token = ""] = pathname.split("/")
    const wrong = [
      `/files/download/${"x".repeat(token.length)}/fw.bin`,
      `/files/download/${token}`,
      `/files/download/${token}/`,
      `/files/download/${token}/other.bin`,
      `/files/download/${token}/fw.bin/more`,
      `/files/download/${token}/..%2ffw.bin`,
      `/files/download/${token}/..%2f..%2f..%2f..%2fetc%2fpasswd`,
      `/files/download//fw.bin`,
      `/files/download/%00/fw.bin`,
      `/files/download/${token.slice(0, -1)}/fw.bin`,
      `/files/download/`,
      `/files/upload/${token}/`,
    ]
    for (const path of wrong) {
      const answer = await fetch(origin + path)
      expect([path, answer.status, await answer.text()]).toEqual([path, 404, "not found\n"])
    }
    expect(await statusOf(`${origin}/files/`)).toBe(404)
    expect(await statusOf(`${origin}/files/firmware/x`)).toBe(404)
    expect(await statusOf(`${origin}/files/upload/${token}/x`, { method: "PUT", body: "x" })).toBe(404)
  })

  test("is no longer given when the link's time is over, or the image is deleted", async () => {
    await using it = await newChargePoint()
    const brief = await imageOn(node, new Uint8Array([1, 2, 3]), { fileName: "brief.bin" })
    await it.updateFirmware(node, { firmwareImage: brief.id })
    const toBrief = it.location
    await it.updateFirmware(node, { firmwareImage: image.id })
    expect([await statusOf(toBrief), await statusOf(it.location)]).toEqual([200, 200])

    const { result } = await graphqlOver(node.graphqlUrl, node.token)<{ result: Record<string, unknown> }>(
      `mutation ($id: ID!) { result: deleteFirmwareImage(input: {id: $id}) { __typename } }`,
      { id: brief.id },
    )
    expect(result["__typename"]).toBe("DeleteFirmwareImagePayload")
    expect(await statusOf(toBrief)).toBe(404)
    expect(await it.updateFirmware(node, { firmwareImage: brief.id })).toMatchObject({
      __typename: "FirmwareImageNotFound",
    })
    clock.ahead = HOUR_MS + 1_000
    const late = await statusOf(it.location)
    clock.ahead = 0
    expect(late).toBe(404)
  })

  test("of another organisation, or in company of a location, is not sent", async () => {
    await using it = await newChargePoint()
    const update = (input: object) =>
      graphqlOver(node.graphqlUrl, node.token)<{ result: { __typename: string } }>(
        `mutation ($input: UpdateFirmwareInput!) { result: updateFirmware(input: $input) { __typename } }`,
        { input: { chargePoint: it.chargePoint.identity, retrieveDate: new Date().toISOString(), ...input } },
      ).then(({ result }) => result.__typename)
    const others = await bringImage(node, IMAGE, {}, OTHERS_TOKEN)
    const { id } = (await others.json()) as Image
    expect(await update({ firmwareImage: id })).toBe("FirmwareImageNotFound")
    expect(await update({ firmwareImage: image.id, location: "https://x.example/" })).toBe("InvalidInput")
    expect(await update({})).toBe("InvalidInput")
    expect(await update({ firmwareImage: image.id, protocol: "FTP" })).toBe("InvalidInput")
    expect(it.told).toEqual([])
  })
})

describe("diagnostics", () => {
  test.each([
    ["PUT at the link itself", (location: string) => fetch(location, { method: "PUT", body: "a log" }), "answered.txt"],
    [
      "PUT under the file's name",
      (location: string) => fetch(`${location}my%20log.txt`, { method: "PUT", body: "a log" }),
      "my log.txt",
    ],
    [
      "PUT under a name after one slash too many",
      (location: string) => fetch(`${location}/log.txt`, { method: "PUT", body: "a log" }),
      "log.txt",
    ],
    [
      "PUT without the link's last slash",
      (location: string) => fetch(location.replace(/\/$/, ""), { method: "PUT", body: "a log" }),
      "answered.txt",
    ],
    ["POST", (location: string) => fetch(location, { method: "POST", body: "a log" }), "answered.txt"],
    [
      "PUT without a length",
      (location: string) => fetch(location, { method: "PUT", body: new Blob(["a log"]).stream() }),
      "answered.txt",
    ],
    [
      "POST of a form",
      (location: string) => {
        const form = new FormData()
        form.set("comment", "before the file")
        form.set("file", new File(["a log"], "form.txt"))
        return fetch(location, { method: "POST", body: form })
      },
      "form.txt",
    ],
    [
      "PUT under the name of a path",
      (location: string) => fetch(`${location}..%2f..%2fetc%2fpasswd`, { method: "PUT", body: "a log" }),
      "passwd",
    ],
  ])("come by %s, and are there for an OPERATOR. OCPP 1.6 §5.9", async (_, upload, fileName) => {
    await using it = await newChargePoint()
    const { diagnostics } = await it.getDiagnostics(node)
    expect(diagnostics).toMatchObject({ state: "EXPECTED", fileName: "answered.txt", downloadPath: null })
    expect(Object.keys(it.told[0] ?? {})).toEqual(["location"])
    await using changes = await follow<{ kind: string; diagnostics: { state: string } | null }>(
      { url: node.graphqlUrl, token: node.token },
      `chargePointChanged(filter: {identities: ["${it.chargePoint.identity}"]}) { kind diagnostics { state } }`,
    )
    await it.chargePoint.call("DiagnosticsStatusNotification", { status: "Uploading" })
    expect((await upload(it.location)).status).toBe(201)
    await it.chargePoint.call("DiagnosticsStatusNotification", { status: "Uploaded" })

    const [received] = await it.diagnostics(node)
    expect(received).toMatchObject({ state: "RECEIVED", fileName, sizeBytes: 5, status: "UPLOADED" })
    expect(received?.sha256).toBe(sha256("a log"))
    await until("the upload is told", () => changes.items.some(({ diagnostics: d }) => d?.state === "RECEIVED"))

    const path = `${deskOf(node)}${received?.downloadPath}`
    const file = await fetch(path, as(node.token))
    expect([file.status, await file.text()]).toEqual([200, "a log"])
    expect(file.headers.get("content-disposition")).toContain(`filename="${fileName}"`)
    expect(await statusOf(path, as(OTHERS_TOKEN))).toBe(404)
    expect(await statusOf(path, as(VIEWERS_TOKEN))).toBe(403)
    expect(await statusOf(path)).toBe(401)
    expect(await it.diagnostics(node, VIEWERS_TOKEN)).toMatchObject([{ downloadPath: null }])
  })

  test("come once: a second file is refused", async () => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    expect(await statusOf(it.location, { method: "PUT", body: "the file" })).toBe(201)
    expect(await statusOf(it.location, { method: "PUT", body: "another" })).toBe(409)
    expect(await it.diagnostics(node)).toMatchObject([{ sizeBytes: 8 }])
  })

  test("of two uploads at once the first counts, however slow it is", async () => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    const slow = slowBody()
    const first = fetch(it.location, { method: "PUT", body: slow.readable })
    await slow.say("the ")
    await until("it is receiving", async () => (await it.diagnostics(node))[0]?.state === "RECEIVING")
    expect(await statusOf(atTheDesk(it.location), { method: "PUT", body: "another" })).toBe(409)
    await slow.say("first")
    await slow.end()
    expect((await first).status).toBe(201)
    expect(await it.diagnostics(node)).toMatchObject([{ state: "RECEIVED", sha256: sha256("the first") }])
  })

  test("that break off in the middle may come again", async () => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    const { hostname, port, pathname } = new URL(it.location)
    const socket = connect(Number(port), hostname)
    socket.on("error", () => undefined)
    socket.write(`PUT ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 100\r\n\r\nnot all of it`)
    await until("it is receiving", async () => (await it.diagnostics(node))[0]?.state === "RECEIVING")
    socket.destroy()
    await until("it broke off", async () => (await it.diagnostics(node))[0]?.state === "EXPECTED")
    expect(await statusOf(it.location, { method: "PUT", body: "all of it" })).toBe(201)
    expect(await it.diagnostics(node)).toMatchObject([{ state: "RECEIVED", sha256: sha256("all of it") }])
  })

  test.each([
    ["with its length", () => new Uint8Array(MAX_DIAGNOSTICS + 1)],
    ["without its length", () => new Blob([new Uint8Array(MAX_DIAGNOSTICS + 1)]).stream()],
    [
      "in a form",
      () => {
        const form = new FormData()
        form.set("file", new File([new Uint8Array(MAX_DIAGNOSTICS + 1)], "large.txt"))
        return form
      },
    ],
  ])("that are too large, told %s, are not taken, and spend nothing", async (_, body) => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    expect(await statusOf(it.location, { method: "POST", body: body() }).catch(() => 413)).toBe(413)
    await until("nothing is receiving", async () => (await it.diagnostics(node))[0]?.state === "EXPECTED")
    expect(await statusOf(it.location, { method: "PUT", body: new Uint8Array(MAX_DIAGNOSTICS) })).toBe(201)
  })

  test.each([
    ["nothing", { method: "PUT" }],
    ["an empty form", { method: "POST", body: new FormData() }],
    ["a broken form", { method: "POST", body: "x", headers: { "content-type": "multipart/form-data" } }],
    [
      "half a form",
      {
        method: "POST",
        body: '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        headers: { "content-type": "multipart/form-data; boundary=b" },
      },
    ],
  ])("that are %s are refused, and spend nothing", async (_, init: RequestInit) => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    expect(await statusOf(it.location, init)).toBe(400)
    expect(await it.diagnostics(node)).toMatchObject([{ state: "EXPECTED" }])
  })

  test("come no more when the link's time is over, and by no other link", async () => {
    await using it = await newChargePoint()
    await it.getDiagnostics(node)
    clock.ahead = HOUR_MS + 1_000
    const late = await statusOf(it.location, { method: "PUT", body: "late" })
    clock.ahead = 0
    expect(late).toBe(404)
    const other = it.location.replace(/.\/$/, (end) => (end === "A/" ? "B/" : "A/"))
    expect(await statusOf(other, { method: "PUT", body: "guessed" })).toBe(404)
    expect(await statusOf(it.location)).toBe(405)
    expect(await statusOf(other)).toBe(404)
    expect(await it.diagnostics(node)).toMatchObject([{ state: "EXPECTED" }])
  })
})

describe("a location that the operator names", () => {
  const LOCATION = "ftp://log%40user:p%20ss;w@files.example:2121/in//box/?a=%zz&token=abc".replace("%zz", "%7a")

  test("reaches the charge point byte for byte, and its credentials nobody else", async () => {
    await using it = await newChargePoint()
    const ask = graphqlOver(node.graphqlUrl, node.token)
    const { identity } = it.chargePoint
    await ask(
      `mutation ($identity: String!) { updateChargePoint(input: {identity: $identity, wireLog: true}) { __typename } }`,
      { identity },
    )
    await using commands = await follow<{ command: { request: unknown } }>(
      { url: node.graphqlUrl, token: node.token },
      `commandChanged(chargePoint: "${identity}") { command { request } }`,
    )
    const times = { startTime: "2026-01-01T00:00:00.000Z", stopTime: "2026-01-02T00:00:00.000Z" }
    await it.getDiagnostics(node, { location: LOCATION, retries: 1, retryInterval: 5, ...times })
    await it.updateFirmware(node, { location: LOCATION, retrieveDate: "2026-01-01T00:00:00.000Z" })
    expect(it.told).toEqual([
      { location: LOCATION, retries: 1, retryInterval: 5, ...times },
      { location: LOCATION, retrieveDate: "2026-01-01T00:00:00.000Z" },
    ])
    await until("both commands are told", () => commands.items.length >= 4)
    // The wire log is written lazily.
    const wire = await until("both frames are in the wire log", async () => {
      const seen = await ask<{ chargePoint: { messages: { edges: { node: { text: string } }[] } } }>(
        `query ($identity: String!) { chargePoint(identity: $identity) { messages { edges { node { text } } } } }`,
        { identity },
      )
      return seen.chargePoint.messages.edges.filter((edge) => edge.node.text.includes("location")).length >= 2 && seen
    })
    const books = await ask(
      `query ($identity: String!) {
        commands(filter: {chargePoints: [$identity]}) { edges { node { request confirmation } } }
        chargePoint(identity: $identity) {
          firmwareUpdates { edges { node { location state } } }
          diagnosticsRequests { edges { node { location state } } }
        }
      }`,
      { identity },
    )
    const shown = JSON.stringify([commands.items, wire, books])
    expect(shown).toContain("ftp://***@files.example:2121/in//box/?a=%7a&token=***")
    expect(shown).not.toContain("p%20ss")
    expect(shown).not.toContain("abc")
    using db = new Database(join(node.dataDir, "busbar.sqlite"), { readonly: true })
    for (const table of ["commands", "journal", "messages", "firmware_updates", "diagnostics"])
      expect(JSON.stringify(db.query(`SELECT * FROM ${table}`).all())).not.toContain("p%20ss")
  })

  test("the token of a link of ours is kept nowhere as it is", async () => {
    await using it = await newChargePoint()
    const { identity } = it.chargePoint
    const ask = graphqlOver(node.graphqlUrl, node.token)
    await ask(
      `mutation ($identity: String!) { updateChargePoint(input: {identity: $identity, wireLog: true}) { __typename } }`,
      { identity },
    )
    await it.getDiagnostics(node)
    await until("the frame is in the wire log", async () => {
      const seen = await ask(
        `query ($identity: String!) { chargePoint(identity: $identity) { messages { edges { node { text } } } } }`,
        { identity },
      )
      return JSON.stringify(seen).includes("/files/upload/***/")
    })
    const token = new URL(it.location).pathname.split("/")[3] ?? ""
    expect(token).toHaveLength(32)
    using db = new Database(join(node.dataDir, "busbar.sqlite"), { readonly: true })
    for (const table of ["commands", "journal", "messages", "diagnostics"])
      expect(JSON.stringify(db.query(`SELECT * FROM ${table}`).all())).not.toContain(token)
  })
})

test("what the API itself is asked stays small, whatever files may come", async () => {
  const body = JSON.stringify({ query: `{ viewer { name } } # ${"x".repeat(1_500_000)}` })
  const headers = { authorization: `Bearer ${node.token}`, "content-type": "application/json" }
  expect(await statusOf(node.graphqlUrl, { method: "POST", headers, body })).toBe(413)
  const stream = new Blob([body]).stream()
  expect(await statusOf(node.graphqlUrl, { method: "POST", headers, body: stream })).toBe(413)
})

test("a retry under the same idempotencyKey sends nothing again, and makes no second link", async () => {
  await using it = await newChargePoint()
  const first = await it.getDiagnostics(node, { idempotencyKey: `key-${count}` })
  const again = await it.getDiagnostics(node, { idempotencyKey: `key-${count}` })
  expect(again.command?.id).toBe(first.command?.id)
  expect(it.told).toHaveLength(1)
  expect(await it.diagnostics(node)).toHaveLength(1)
})

test("a charge point that is away is told so, and its link takes nothing", async () => {
  const it = await newChargePoint()
  await it[Symbol.asyncDispose]()
  await until("it is offline", async () => (await it.getDiagnostics(node)).__typename === "ChargePointOffline")
  expect((await it.diagnostics(node))[0]).toMatchObject({ state: "FAILED" })
})
