/** A central system that is not ours: ocpp-rpc in strict mode, which holds every frame against the official schemas. */
import type { AddressInfo } from "node:net"
import { RPCServer } from "ocpp-rpc"

type Fields = Record<string, unknown>
interface Asked {
  identity: string
  messageId: string
  /** Puts any text on the wire, whatever it is. */
  sendRaw(text: string): void
}
type Answer = (params: Fields, asked: Asked) => unknown

interface ServerClient {
  identity: string
  handle(handler: (call: { method: string; params: Fields; messageId: string }) => unknown): void
  sendRaw(text: string): void
  call(method: string, params: Fields): Promise<Fields>
  on(event: string, listener: (detail: unknown) => void): void
  close(options: { code: number; force?: boolean }): Promise<unknown>
}

export interface ReceivedMessage {
  identity: string
  action: string
  params: Fields
}

/** Starts one on a free port; it accepts everything, gives out transactionIds from 1 and remembers what it was told. */
export async function startCentralSystem() {
  const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true, callTimeoutMs: 5000 })
  const received: ReceivedMessage[] = []
  const violations: unknown[] = []
  const passwords: string[] = []
  const replies: unknown[][] = []
  const clients = new Map<string, ServerClient>()
  const watchers = new Set<() => void>()
  const now = () => new Date().toISOString()
  let lastTransactionId = 0
  let admits = true
  const answers: Record<string, Answer> = {
    Authorize: () => ({ idTagInfo: { status: "Accepted" } }),
    BootNotification: () => ({ status: "Accepted", currentTime: now(), interval: 300 }),
    DataTransfer: () => ({ status: "UnknownVendorId" }),
    Heartbeat: () => ({ currentTime: now() }),
    SignCertificate: () => ({ status: "Accepted" }),
    StartTransaction: () => ({ transactionId: ++lastTransactionId, idTagInfo: { status: "Accepted" } }),
  }

  server.auth((accept, reject, handshake) => {
    passwords.push(handshake.password?.toString("latin1") ?? "")
    if (admits) accept()
    else reject(503, "closed")
  })
  server.on("client", (client: ServerClient) => {
    clients.set(client.identity, client)
    client.on("strictValidationFailure", (failure) => violations.push(failure))
    client.on("badMessage", (failure) => violations.push(failure))
    client.on("response", (detail) => {
      const { outbound, payload } = detail as { outbound: boolean; payload: unknown[] }
      if (!outbound) replies.push(payload)
      for (const watcher of watchers) watcher()
    })
    client.handle(async ({ method, params, messageId }) => {
      const asked = { identity: client.identity, messageId, sendRaw: (text: string) => client.sendRaw(text) }
      const answer = await (answers[method] ?? (() => ({})))(params, asked)
      received.push({ identity: client.identity, action: method, params })
      for (const watcher of watchers) watcher()
      return answer
    })
    for (const watcher of watchers) watcher()
  })
  const http = await server.listen(0, "127.0.0.1")
  const { port } = http.address() as AddressInfo

  /** Resolves when the condition holds, looked at after every message; rejects after five seconds. */
  const until = (condition: () => boolean, what = String(condition)) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!condition()) return
        watchers.delete(look)
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        watchers.delete(look)
        reject(new Error(`never happened: ${what}`))
      }, 5000)
      watchers.add(look)
      look()
    })

  const of = (action: string) => received.filter((message) => message.action === action).map(({ params }) => params)

  return {
    url: `ws://127.0.0.1:${port}/ocpp`,
    received,
    violations,
    passwords,
    /** Every CALLRESULT and CALLERROR that came, as it was. */
    replies,
    answers,
    clients,
    until,
    /** The requests of one action, in order of arrival. */
    of,
    /** The first request of an action that matches, once it is there. */
    async message(action: string, matches: (params: Fields) => boolean = () => true): Promise<Fields> {
      await until(() => of(action).some(matches), `${action} that ${matches}`)
      return of(action).find(matches) ?? {}
    },
    call: (identity: string, action: string, params: Fields = {}) => {
      const client = clients.get(identity)
      if (!client) throw new Error(`${identity} is not connected`)
      return client.call(action, params)
    },
    /** Refuses new connections, and ends those that are. */
    async shut() {
      admits = false
      await Promise.all([...clients.values()].map((client) => client.close({ code: 1001, force: true })))
    },
    admit() {
      admits = true
    },
    async [Symbol.asyncDispose]() {
      await server.close({ code: 1001, reason: "", force: true })
    },
  }
}

/**
 * The reason a promise was rejected with. `expect(promise).rejects` turns the event loop from within: under a message
 * handler of Bun's WebSocket client that breaks the connection (1002), so tests with sockets wait in the ordinary way.
 */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error("it was not rejected"),
    (cause: unknown) => cause,
  )
