/**
 * What no central system can beat: a bare Bun server that answers the same frames without doing anything for them.
 * `/echo/<id>` sends each frame back, `/acknowledge/<id>` answers with an empty confirmation, `/publish/<id>` also tells
 * everybody on `/topic`, and `/graphql` is a mutation that does nothing.
 */
interface Data {
  kind: "echo" | "acknowledge" | "publish" | "topic"
}

const TOPIC = "changes"
const CURSOR = "x".repeat(40)

/** Loaded when it is asked for: elsewhere a bare server holds nothing that it does not need. */
const openYoga = async () => {
  const { createSchema, createYoga } = await import("graphql-yoga")
  return createYoga({
    schema: createSchema({
      typeDefs: "type Query { nothing: Boolean } type Mutation { nothing(input: String): String }",
      resolvers: { Mutation: { nothing: () => "done" } },
    }),
    logging: false,
    landingPage: false,
  })
}
let yoga: ReturnType<typeof openYoga> | undefined

const idOf = (text: string): string => text.slice(4, text.indexOf('"', 4))

/** As long as what a subscriber to one status is told. */
const told = (frame: string): string => {
  const info = /"info":"([^"]*)"/.exec(frame)?.[1] ?? ""
  return `{"id":"1","type":"next","payload":{"data":{"chargePointChanged":{"cursor":"${CURSOR}","kind":"CONNECTOR_STATUS","connector":{"connectorId":1,"status":"AVAILABLE","info":"${info}"}}}}}`
}

const server = Bun.serve<Data>({
  hostname: "127.0.0.1",
  port: 0,
  fetch(request, serving) {
    const path = new URL(request.url).pathname
    if (path === "/graphql") {
      yoga ??= openYoga()
      return yoga.then(({ fetch }) => fetch(request))
    }
    const kind = /^\/(echo|acknowledge|publish|topic)(?:\/|$)/.exec(path)?.[1] as Data["kind"] | undefined
    const protocol = kind === "topic" ? "graphql-transport-ws" : "ocpp1.6"
    if (kind && serving.upgrade(request, { headers: { "Sec-WebSocket-Protocol": protocol }, data: { kind } }))
      return undefined
    return new Response(null, { status: 404 })
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      if (socket.data.kind === "topic") socket.subscribe(TOPIC)
    },
    message(socket, text) {
      if (typeof text !== "string" || socket.data.kind === "topic") return
      if (socket.data.kind === "echo") {
        socket.send(text)
        return
      }
      socket.send(`[3,"${idOf(text)}",{}]`)
      if (socket.data.kind === "publish" && text.includes('"info"')) server.publish(TOPIC, told(text))
    },
  },
})
console.log(`listening on ${server.port}.`)
