/** A wire to a server whose near end can stop reading, so that what the server sends piles up at the server. */
import { connect, createServer, type Socket } from "node:net"

export interface ReluctantWire extends AsyncDisposable {
  /** Where it listens on 127.0.0.1. */
  readonly port: number
  /** Reads nothing any more of what the server sends; what is sent to it still arrives. */
  stopReading(): void
  readOn(): void
}

/** Listens on a free port and leads every connection to a port of 127.0.0.1. */
export async function startReluctantWire(target: number): Promise<ReluctantWire> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>()
  let isReading = true
  const server = createServer((client) => {
    const upstream = connect({ port: target, host: "127.0.0.1" })
    const pair = { client, upstream }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on("error", () => undefined).on("close", end)
    client.pipe(upstream)
    upstream.on("data", (bytes) => {
      if (!client.write(bytes)) upstream.pause()
    })
    client.on("drain", () => {
      if (isReading) upstream.resume()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("the wire has no port")
  return {
    port: address.port,
    stopReading() {
      isReading = false
      for (const { upstream } of pairs) upstream.pause()
    },
    readOn() {
      isReading = true
      for (const { upstream } of pairs) upstream.resume()
    },
    async [Symbol.asyncDispose]() {
      for (const { client, upstream } of pairs) {
        client.destroy()
        upstream.destroy()
      }
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
