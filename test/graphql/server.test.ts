import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { connect } from "node:net"
import { getIntrospectionQuery } from "graphql"
import { DEFAULT_LIMITS } from "../../graphql/limits.ts"
import { until } from "../support/until.ts"
import { type Answer, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
let ready = true
beforeAll(async () => {
  rig = await startRig({ isReady: () => ready })
  token = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${rig.port}${path}`, { headers, redirect: "manual" })

describe("beside GraphQL", () => {
  test("/healthz tells that the process lives, /readyz whether it serves", async () => {
    expect((await get("/healthz")).status).toBe(200)
    expect((await get("/readyz")).status).toBe(200)
    ready = false
    expect((await get("/readyz")).status).toBe(503)
    expect((await get("/healthz")).status).toBe(200)
    ready = true
  })

  test("/metrics speaks Prometheus, and nobody else is at home", async () => {
    expect((await get("/metrics")).headers.get("content-type")).toStartWith("text/plain")
    expect((await get("/nothing")).status).toBe(404)
  })

  test("a browser is shown GraphiQL, which loads nothing from elsewhere", async () => {
    const home = await get("/")
    expect(home.headers.get("location")).toEndWith("/graphql")
    const page = await get("/graphql", { accept: "text/html" })
    expect(page.headers.get("content-type")).toStartWith("text/html")
    expect(await page.text()).not.toMatch(/<(?:script|link)[^>]+(?:src|href)=["']?(?:https?:)?\/\//)
  })

  test("a socket without the subprotocol is refused", async () => {
    const response = await get("/graphql", {
      upgrade: "websocket",
      connection: "upgrade",
      "sec-websocket-protocol": "graphql-ws",
    })
    expect(response.status).toBe(400)
  })
})

describe("limits", () => {
  const refusal = async (query: string, variables = {}) => (await rig.ask(token, query, variables)).errors?.[0]
  const limited = async (query: string, variables = {}) =>
    (await refusal(query, variables))?.extensions?.code === "LIMIT_EXCEEDED"
  const nested = (levels: number) =>
    `{ transaction(transactionId: 1) { ${"chargePoint { connectors { transaction { ".repeat(levels)} id ${"} } } ".repeat(levels)} } }`

  test("depth", async () => {
    expect(await limited(nested(4))).toBe(false)
    expect(await limited(nested(5))).toBe(true)
  })

  test("aliases and root fields", async () => {
    const aliased = (count: number) =>
      `{ ${Array.from({ length: count }, (_, index) => `a${index}: viewer { name }`).join(" ")} }`
    expect(await limited(aliased(20))).toBe(false)
    expect(await limited(aliased(21))).toBe(true)
    const deep = `{ viewer { ${Array.from({ length: 51 }, (_, index) => `a${index}: name`).join(" ")} } }`
    expect((await refusal(deep))?.message).toContain("aliases")
  })

  test("words of a document", async () => {
    const error = await refusal(`{ viewer { ${"name ".repeat(DEFAULT_LIMITS.tokens)} } }`)
    expect(error?.message).toContain("tokens")
  })

  test("a page of 500 with one nested object, and of 100 with a nested page of 100, are within", async () => {
    expect(
      await limited(
        "{ chargePoints(first: 500) { edges { node { id connectors { status transaction { idTag } } } } } }",
      ),
    ).toBe(false)
    expect(
      await limited(
        "{ chargePoints(first: 100) { edges { node { transactions(first: 100) { edges { node { idTag chargePoint { id } } } } } } } }",
      ),
    ).toBe(false)
  })

  test("pages in pages in pages, however they are written", async () => {
    const body =
      "{ edges { node { transactions(first: $n) { edges { node { meterValues(last: 100) { edges { node { timestamp } } } } } } } } }"
    expect(await limited(`query ($n: Int = 100) { chargePoints(first: $n) ${body} }`)).toBe(true)
    expect(await limited(`query ($n: Int) { chargePoints(first: $n) ${body} }`, { n: 100 })).toBe(true)
    expect(await limited(`query ($n: Int = 100) { chargePoints(first: $n) ${body} }`, { n: 3 })).toBe(false)
  })

  test("fragments that double themselves are counted without being followed each time", async () => {
    const fragments = Array.from(
      { length: 40 },
      (_, index) =>
        `fragment F${index} on ChargePoint { ...F${index + 1} connectors { chargePoint { ...F${index + 1} } } }`,
    )
    const query = `{ chargePoint(identity: "x") { ...F0 } } ${fragments.join(" ")} fragment F40 on ChargePoint { id }`
    expect(await limited(query)).toBe(true)
  })

  test("lists in variables", async () => {
    const query = "query ($identities: [String!]) { chargePoints(filter: { identities: $identities }) { totalCount } }"
    expect(await limited(query, { identities: Array(1_000).fill("x") })).toBe(false)
    expect(await limited(query, { identities: Array(1_001).fill("x") })).toBe(true)
  })

  test("variables nested without end", async () => {
    const nested = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    const query = "query ($names: [String!]) { chargePoints(filter: { identities: $names }) { totalCount } }"
    const response = await fetch(`http://127.0.0.1:${rig.port}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: `{"query":${JSON.stringify(query)},"variables":{"names":${nested}}}`,
    })
    const { errors } = (await response.json()) as Answer
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(["BAD_USER_INPUT"])
    expect(rig.errorLines).toEqual([])
  })

  const asked = (length: number) => JSON.stringify({ query: `{ viewer { name } } # ${"x".repeat(length)}` })
  async function* inChunks(text: string) {
    for (let at = 0; at < text.length; at += 100_000) yield text.slice(at, at + 100_000)
  }
  test.each<[how: string, body: (text: string) => string | AsyncIterable<string>]>([
    ["that states its length", (text) => text],
    ["that comes in chunks", inChunks],
  ])("size of a request %s", async (_how, body) => {
    const sent = (length: number) =>
      fetch(`http://127.0.0.1:${rig.port}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: body(asked(length)),
      })
    const response = await sent(1_000_000)
    expect(response.status).toBe(413)
    expect((await response.json()) as Answer).toMatchObject({
      errors: [{ extensions: { code: "REQUEST_ENTITY_TOO_LARGE" } }],
    })
    expect((await sent(999_000)).status).toBe(200)
  })

  test("they hold over the socket too, and for subscriptions", async () => {
    const query =
      "subscription { chargePointChanged { chargePoint { transactions(first: 500) { edges { node { meterValues(first: 500) { edges { node { timestamp } } } } } } } } }"
    const { value } = await rig.socket(token).iterate({ query }).next()
    expect((value as Answer).errors?.[0]?.extensions?.code).toBe("LIMIT_EXCEEDED")
  })

  test("operations per socket", async () => {
    await using narrow = await startRig({ limits: { operationsPerSocket: 1 } })
    const client = narrow.socket(await narrow.token("Viewer"))
    const query = "subscription { transactionChanged { cursor } }"
    const first = client.iterate({ query })
    const pending = first.next()
    await until("the first is open", () => narrow.subscriptions() === 1)
    await expect(client.iterate({ query }).next()).rejects.toMatchObject([{ extensions: { code: "LIMIT_EXCEEDED" } }])
    await first.return?.()
    await Promise.allSettled([pending])
  })

  test("tools may ask for the whole schema", async () => {
    const answer = await rig.ask(token, getIntrospectionQuery())
    expect(answer.errors).toBeUndefined()
  })
})

test.each([
  [
    "a mutation by GET",
    { method: "GET", query: `mutation { deleteIdTag(input: { idTag: "x" }) { __typename } }` },
    405,
  ],
  ["a form of another origin's", { method: "POST", type: "text/plain", body: `{"query":"{ viewer { name } }"}` }, 415],
  ["JSON that is none", { method: "POST", type: "application/json", body: "{" }, 400],
  ["several operations at once", { method: "POST", type: "application/json", body: "[]" }, 400],
  ["a query that is no text", { method: "POST", type: "application/json", body: `{"query":1}` }, 400],
  ["another method", { method: "PUT", type: "application/json", body: `{"query":"{ viewer { name } }"}` }, 405],
])("%s is refused", async (_what, { method, query, type, body }: Record<string, string>, status) => {
  const search = query === undefined ? "" : `?query=${encodeURIComponent(query)}`
  const response = await fetch(`http://127.0.0.1:${rig.port}/graphql${search}`, {
    method: method!,
    headers: { authorization: `Bearer ${token}`, ...(type !== undefined && { "content-type": type }) },
    ...(body !== undefined && { body }),
  })
  expect(response.status).toBe(status)
  expect(await response.text()).not.toContain("viewer")
  expect(rig.errorLines).toEqual([])
})

test("what is wrong with a variable is told with a code", async () => {
  const query = "query ($first: Int!) { chargePoints(first: $first) { totalCount } }"
  for (const variables of [{}, { first: "x" }, { first: 2 ** 40 }, { first: null }]) {
    const { errors } = await rig.ask(token, query, variables)
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(["BAD_USER_INPUT"])
  }
})

test("another origin may ask, with a token of its own", async () => {
  const response = await fetch(`http://127.0.0.1:${rig.port}/graphql`, {
    method: "OPTIONS",
    headers: {
      origin: "https://screens.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  })
  expect(response.headers.get("access-control-allow-origin")).toBe("https://screens.example")
  expect(response.headers.get("access-control-allow-credentials")).not.toBe("true")
})

test("while the store is away, whoever asks is told so, over either transport", async () => {
  rig.breakStore(true)
  try {
    const { errors } = await rig.ask(token, "{ viewer { name } }")
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(["UNAVAILABLE"])
    const overSocket = rig.socket(token).iterate({ query: "{ viewer { name } }" })
    await expect(overSocket.next()).rejects.toMatchObject([{ extensions: { code: "UNAVAILABLE" } }])
  } finally {
    rig.breakStore(false)
  }
  expect((await rig.ask(token, "{ viewer { role } }")).data).toEqual({ viewer: { role: "VIEWER" } })
})

test("garbage over the socket closes that socket and nothing else", async () => {
  for (const garbage of ["{", `{"type":"subscribe"}`, `{"type":"nothing"}`, "\0"]) {
    const closed = await new Promise<number>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/graphql`, ["graphql-transport-ws"])
      socket.onopen = () => socket.send(garbage)
      socket.onclose = ({ code }) => resolve(code)
    })
    expect(closed).toBe(4400)
  }
  expect((await rig.ask(token, "{ viewer { role } }")).errors).toBeUndefined()
})

test("a stop ends subscriptions, closes sockets and listens no more", async () => {
  const stopping = await startRig()
  const viewer = await stopping.token("Viewer")
  const query = "subscription { transactionChanged { cursor } }"
  const overSse = stopping.sse(viewer).iterate({ query }).next()
  await until("one is open", () => stopping.subscriptions() === 1)
  const overSocket = stopping.socket(viewer).iterate({ query }).next()
  await until("both are open", () => stopping.subscriptions() === 2)
  await stopping[Symbol.asyncDispose]()
  expect(stopping.subscriptions()).toBe(0)
  expect((await overSse).done).toBe(true)
  await Promise.allSettled([overSocket])
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect(stopping.port, "127.0.0.1", () => resolve(false))
    probe.on("error", () => resolve(true))
  })
  expect(refused).toBe(true)
})
