/** Files in a cluster: what came to one node goes out of every other. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { type Ground, openGround } from "../support/cluster.ts"
import { deskOf, imageOn, sha256, takingChargePoint } from "../support/files.ts"
import { startTestNode, type TestNode } from "../support/node.ts"

setDefaultTimeout(60_000)

let ground: Ground
let a: TestNode
let b: TestNode

beforeAll(async () => {
  ground = await openGround()
  ;[a, b] = await Promise.all([startTestNode(ground.environment), startTestNode(ground.environment)])
})
afterAll(async () => {
  await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
  await ground[Symbol.asyncDispose]()
})

/** The same link at another node's listener for charge points. */
const at = (node: TestNode, location: string): string =>
  node.ocppUrl.replace(/^ws(.*)\/ocpp$/, "http$1") + new URL(location).pathname

test("an image brought to one node is fetched from another, by many at once", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(3 * 60_000))
  const image = await imageOn(a, bytes)
  await using it = await takingChargePoint(b, "CLUSTER-FILES-1")
  await it.updateFirmware(a, { firmwareImage: image.id })
  for (const node of [a, b]) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(at(node, it.location))))
    for (const answer of answers) expect(sha256(await answer.bytes())).toBe(image.sha256)
  }
  const part = await fetch(at(b, it.location), { headers: { range: "bytes=-10" } })
  expect(await part.bytes()).toEqual(bytes.slice(-10))
})

test("diagnostics brought to one node are taken from another, and both know that the link is spent", async () => {
  await using it = await takingChargePoint(b, "CLUSTER-FILES-2")
  await it.getDiagnostics(a)
  const put = (node: TestNode) => fetch(at(node, it.location), { method: "PUT", body: "a log" })
  expect((await put(b)).status).toBe(201)
  expect([(await put(a)).status, (await put(b)).status]).toEqual([409, 409])
  const [received] = await it.diagnostics(a)
  const file = await fetch(`${deskOf(a)}${received?.downloadPath}`, { headers: { authorization: `Bearer ${a.token}` } })
  expect(await file.text()).toBe("a log")
})

test("of uploads to both nodes at once exactly one counts", async () => {
  await using it = await takingChargePoint(a, "CLUSTER-FILES-3")
  await it.getDiagnostics(b)
  const put = (node: TestNode, text: string) => fetch(at(node, it.location), { method: "PUT", body: text })
  const answers = await Promise.all([put(a, "one"), put(b, "two"), put(a, "three"), put(b, "four")])
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
  expect(await it.diagnostics(a)).toMatchObject([{ state: "RECEIVED" }])
})
