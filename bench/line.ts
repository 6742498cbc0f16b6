/** The WebSocket under a charge point: dials, notices its fall, and dials again when told to. OCPP-J §3. */
import { ConnectionLost, unobserved } from "./wire.ts"
import type { Random } from "./random.ts"

export type TlsOptions = Bun.WebSocketOptionsTLS["tls"]

export interface LineOptions {
  /** The central system's endpoint; the identity is appended as its last path segment. */
  url: string
  identity: string
  /** For HTTP Basic: text, or the raw bytes of an AuthorizationKey. */
  password?: string | Uint8Array | undefined
  /** What is offered as Sec-WebSocket-Protocol, best first; an empty list sends no header. */
  protocols?: string[] | undefined
  headers?: Record<string, string> | undefined
  tls?: TlsOptions | undefined
  /** Dial again after a fall or a refusal, waiting from `minMs`, doubling up to `maxMs`, with jitter. */
  reconnect?: { minMs: number; maxMs: number } | undefined
  random: Random
}

export interface LineEvents {
  opened(): void
  text(text: string): void
  closed(code: number, reason: string): void
}

export class Line {
  readonly #options: LineOptions
  readonly #events: LineEvents
  #socket: WebSocket | undefined
  #opening: PromiseWithResolvers<void> | undefined
  #closing: PromiseWithResolvers<void> | undefined
  #redial: Timer | undefined
  #failures = 0
  #up = false
  password: string | Uint8Array | undefined

  constructor(options: LineOptions, events: LineEvents) {
    this.#options = options
    this.#events = events
    this.password = options.password
  }

  get isOpen(): boolean {
    return this.#up && this.#socket?.readyState === WebSocket.OPEN
  }

  /** Resolves once open; rejects if refused, unless `reconnect` is set: then it keeps trying until `hangUp`. */
  async open(): Promise<void> {
    await this.#closing?.promise
    if (this.isOpen) return
    if (!this.#opening) {
      this.#opening = Promise.withResolvers()
      this.#dial()
    }
    return this.#opening.promise
  }

  send(text: string): void {
    this.#socket?.send(text)
  }

  ping(): void {
    this.#socket?.ping()
  }

  /** Falls without a word, as when the cable is cut; with `reconnect` it dials again. */
  cut(): void {
    this.#socket?.terminate()
  }

  /** Closes in order and stays down until `open`. Resolves when the connection is gone. */
  async hangUp(code = 1000, reason = ""): Promise<void> {
    clearTimeout(this.#redial)
    this.#opening?.reject(new ConnectionLost("hung up before the connection was made"))
    this.#opening?.promise.catch(unobserved)
    this.#opening = undefined
    const socket = this.#socket
    if (!socket) return
    this.#closing ??= Promise.withResolvers()
    if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
    else socket.close(code, reason)
    // A central system that never answers the close frame must not keep us.
    const impatience = setTimeout(() => socket.terminate(), 2000)
    await this.#closing.promise
    clearTimeout(impatience)
  }

  #dial(): void {
    const { url, identity, headers, protocols = ["ocpp1.6"], tls } = this.#options
    const socket = new WebSocket(`${url.replace(/\/+$/, "")}/${encodeURIComponent(identity)}`, {
      protocols,
      headers: { ...this.#authorization(), ...headers },
      perMessageDeflate: false,
      ...(tls && { tls }),
    })
    this.#socket = socket
    socket.onopen = () => {
      this.#up = true
      this.#failures = 0
      const opening = this.#opening
      this.#opening = undefined
      this.#events.opened()
      opening?.resolve()
    }
    socket.onmessage = ({ data }) => this.#events.text(typeof data === "string" ? data : "")
    let failure = ""
    socket.onerror = (event) => {
      failure = event.message
    }
    socket.onclose = ({ code, reason }) => this.#fallen(socket, code, reason || failure)
  }

  #fallen(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return
    this.#socket = undefined
    const wasUp = this.#up
    this.#up = false
    const closing = this.#closing
    this.#closing = undefined
    if (wasUp) this.#events.closed(code, reason)
    closing?.resolve()
    if (closing) return
    const { reconnect, random } = this.#options
    if (!reconnect) {
      this.#opening?.reject(new ConnectionLost(`refused (${code}) ${reason}`))
      this.#opening = undefined
      return
    }
    this.#opening ??= Promise.withResolvers()
    this.#opening.promise.catch(unobserved) // nobody has to wait for a reconnect
    const waitMs = Math.min(reconnect.maxMs, reconnect.minMs * 2 ** this.#failures++)
    // Full jitter above half: a fleet that fell together must not come back together.
    this.#redial = setTimeout(() => this.#dial(), waitMs * (0.5 + random() / 2))
  }

  #authorization(): Record<string, string> {
    if (this.password === undefined) return {}
    const credentials = Buffer.concat([Buffer.from(`${this.#options.identity}:`), Buffer.from(this.password)])
    return { Authorization: `Basic ${credentials.toString("base64")}` }
  }
}
