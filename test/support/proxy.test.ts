/** The bad day that tests make for a wire is one they can rely on. */
import { expect, test } from "bun:test"
import { connect, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startProxy, type Wire } from "./proxy.ts"
import { until } from "./until.ts"

/** A server that writes down what it hears and says every word back, in capitals. */
async function startEcho(path?: string) {
  const heard = { text: "", connections: 0 }
  const server = createServer((socket) => {
    heard.connections++
    socket.on("error", () => undefined)
    socket.on("data", (bytes) => {
      heard.text += bytes
      if (!socket.destroyed) socket.write(String(bytes).toUpperCase())
    })
  })
  await new Promise<void>((resolve) => (path ? server.listen(path, resolve) : server.listen(0, "127.0.0.1", resolve)))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { heard, port, [Symbol.asyncDispose]: async () => void server.close() }
}

async function dial(proxy: Wire) {
  const told = { text: "", closed: false }
  const socket: Socket = connect({ port: proxy.port, host: "127.0.0.1" })
  socket.on("error", () => undefined)
  socket.on("close", () => (told.closed = true))
  socket.on("data", (bytes) => (told.text += bytes))
  await new Promise<void>((resolve) => socket.once("connect", resolve))
  return { socket, told, [Symbol.asyncDispose]: async () => void socket.destroy() }
}

test("bytes go through both ways, to a unix socket too", async () => {
  const path = join(tmpdir(), `busbar-proxy-${crypto.randomUUID()}.sock`)
  await using tcp = await startEcho()
  await using unix = await startEcho(path)
  for (const target of [tcp.port, { path }]) {
    await using proxy = await startProxy(target)
    await using caller = await dial(proxy)
    caller.socket.write("word")
    await until("the answer is there", () => caller.told.text === "WORD")
  }
  expect([tcp.heard.text, unix.heard.text]).toEqual(["word", "word"])
})

test("one direction is held while the other flows, and what was held arrives in order", async () => {
  await using echo = await startEcho()
  await using proxy = await startProxy(echo.port)
  await using caller = await dial(proxy)
  proxy.pause("down")
  for (const word of ["a", "b", "c"]) caller.socket.write(word)
  await until("all was heard", () => echo.heard.text === "abc")
  expect(caller.told.text).toBe("")
  proxy.resume()
  await until("all is answered", () => caller.told.text === "ABC")
})

test("what a program said before it went away arrives when the wire is let go", async () => {
  await using echo = await startEcho()
  await using proxy = await startProxy(echo.port)
  await using caller = await dial(proxy)
  await until("the connection stands", () => echo.heard.connections === 1)
  proxy.pause("up")
  caller.socket.write("last words")
  caller.socket.destroySoon()
  await until("it is gone", () => caller.told.closed || caller.socket.writableFinished)
  expect(echo.heard.text).toBe("")
  proxy.resume()
  await until("they are heard", () => echo.heard.text === "last words")
})

test("delayed bytes keep their order when the delay ends", async () => {
  await using echo = await startEcho()
  await using proxy = await startProxy(echo.port)
  await using caller = await dial(proxy)
  proxy.delay(50, "up")
  caller.socket.write("slow ")
  await until("the proxy holds it", () => proxy.connections === 1)
  caller.socket.write("too ")
  proxy.delay(0)
  caller.socket.write("quick")
  await until("all was heard", () => echo.heard.text === "slow too quick")
})

test("a cut ends who is there, a refusal also who comes, until the wire is let go", async () => {
  await using echo = await startEcho()
  await using proxy = await startProxy(echo.port)
  await using first = await dial(proxy)
  await until("it stands", () => proxy.connections === 1)
  proxy.cut()
  await until("the first is closed", () => first.told.closed)
  await using second = await dial(proxy)
  second.socket.write("again")
  await until("a new one goes through", () => second.told.text === "AGAIN")
  proxy.refuse()
  await using third = await dial(proxy)
  await until("both are closed", () => second.told.closed && third.told.closed)
  proxy.resume()
  await using fourth = await dial(proxy)
  fourth.socket.write("!")
  await until("the wire is back", () => fourth.told.text === "!")
})
