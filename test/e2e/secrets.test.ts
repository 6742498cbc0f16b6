/** What opens a door is told to the charge point alone: not to books, events, logs, or anything on disk. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Payload, ScriptedChargePoint } from "../../bench/conformance/stage.ts"
import { type Ask, graphqlOver } from "../support/graphql.ts"
import { bootedChargePoint } from "../support/scripted.ts"
import { type ServerProcess, startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(60_000)

const TOKEN = "the-token-of-every-test-node"
const NAMED = "ftp://octt:s3cret-in-url@files.example/firmware.bin?sig=s3cret-in-query"

let folder: string
let server: ServerProcess
let ask: Ask

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "busbar-secrets-"))
  const ftp = { FTP_PORT: "0", FTP_PUBLIC_HOST: "127.0.0.1" }
  server = await startServerProcess({ DATA_DIR: folder, ADMIN_TOKEN: TOKEN, LOG_LEVEL: "trace", ...ftp })
  ask = graphqlOver(server.graphqlUrl, TOKEN)
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const connected = (identity: string) =>
  bootedChargePoint({ ocppUrl: server.ocppUrl, graphqlUrl: server.graphqlUrl, token: TOKEN }, identity)

async function operate(chargePoint: ScriptedChargePoint, action: string, input: Payload): Promise<string> {
  const name = action.charAt(0).toLowerCase() + action.slice(1)
  const { request } = await chargePoint.answering(action, {}, () =>
    ask(`mutation ($input: ${action}Input!) { ${name}(input: $input) { __typename } }`, {
      input: { chargePoint: chargePoint.identity, ...input },
    }),
  )
  return String(request["location"])
}

/** All that the API shows of the charge point's requests, and its wire. */
const shown = (identity: string) =>
  ask<{ chargePoint: { messages: { edges: unknown[] } } }>(
    `query ($identity: String!) { chargePoint(identity: $identity) {
      commands(first: 20) { edges { node { request confirmation error { description } } } }
      messages(first: 50) { edges { node { text } } }
      firmwareUpdates(first: 10) { edges { node { location } } }
      diagnosticsRequests(first: 10) { edges { node { location fileName } } }
    } }`,
    { identity },
  )

async function onDisk(): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const texts = files.map(({ parentPath, name }) => Bun.file(join(parentPath, name)).text())
  return (await Promise.all(texts)).join("\n")
}

test("links of Busbar's own and credentials in an operator's reach the charge point alone", async () => {
  await using chargePoint = await connected("SECRET-1")
  const { identity } = chargePoint
  await ask(`mutation { updateChargePoint(input: { identity: "${identity}", wireLog: true }) { __typename } }`)
  const uploaded = await fetch(
    server.graphqlUrl.replace("/graphql", "/files/firmware?name=Spring&version=1&fileName=fw.bin"),
    { method: "POST", headers: { authorization: `Bearer ${TOKEN}` }, body: "firmware" },
  )
  const image = (await uploaded.json()) as { id: string }
  const retrieveDate = new Date().toISOString()

  expect(await operate(chargePoint, "UpdateFirmware", { location: NAMED, retrieveDate })).toBe(NAMED)
  const links = [
    await operate(chargePoint, "UpdateFirmware", { firmwareImage: image.id, retrieveDate }),
    await operate(chargePoint, "GetDiagnostics", {}),
    await operate(chargePoint, "GetDiagnostics", { protocol: "FTP" }),
  ]
  const tokens = links.flatMap((link) => /[/:]([\w-]{32})[/@]/.exec(link)?.[1] ?? [])
  expect(tokens).toHaveLength(3)
  const [download = "", upload = ""] = links
  expect(await (await fetch(download)).text()).toBe("firmware")
  expect((await fetch(`${upload}log.txt`, { method: "PUT", body: "diagnostics" })).status).toBe(201)
  expect((await fetch(`${upload}log.txt`, { method: "PUT", body: "diagnostics" })).status).toBe(409)
  const broken = `${download.slice(0, -1)}x`
  expect((await fetch(broken)).status).toBe(404)

  await until("the wire log is written", async () => (await shown(identity)).chargePoint.messages.edges.length >= 8)
  const places = { api: JSON.stringify(await shown(identity)), log: server.output, disk: await onDisk() }
  // Each place has what is no secret, so that an empty one cannot pass.
  expect(places.api).toContain("files.example")
  expect(places.log).toContain("diagnostics were received")
  expect(places.disk).toContain("files.example")
  for (const [place, text] of Object.entries(places))
    for (const secret of [...tokens, "s3cret-in-url", "s3cret-in-query"])
      expect({ place, secret, found: text.includes(secret) }).toEqual({ place, secret, found: false })
})
