/** Many identical subscribers over graphql-transport-ws that do no more with a change than count it, but for a few. */

export interface CrowdOptions {
  /** The GraphQL endpoint, as http(s). */
  url: string
  token: string
  /** The subscription all of them have. */
  query: string
  subscribers: number
  /** How many of them share a WebSocket. */
  perSocket: number
  /** Told of every change by one subscriber on each socket, the last of it: `number` is that socket's. */
  heard(text: string, number: number): void
}

const PROBE = "probe"
const ID = /"id":"([^"]+)"/

export class Crowd implements Disposable {
  readonly sockets: number
  /** How many changes were told, over all subscribers. */
  deliveries = 0
  readonly #options: CrowdOptions
  readonly #open: WebSocket[] = []
  /** Who has not been told anything yet; undefined once nobody asks any more. */
  #silent: Set<string> | undefined
  readonly #waiting = new Set<PromiseWithResolvers<void> & { deliveries: number }>()
  /** The least count that somebody waits for. */
  #awaited = Infinity
  #failure: Error | undefined

  private constructor(options: CrowdOptions) {
    this.#options = options
    this.sockets = Math.ceil(options.subscribers / options.perSocket)
  }

  /** Opens all sockets and sends every subscription; whether they are joined shows when they are told something. */
  static async gather(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options)
    const silent = new Set<string>()
    crowd.#silent = silent
    for (let number = 0; number < crowd.sockets; number++) {
      const socket = await crowd.#connect(number)
      const count = Math.min(options.perSocket, options.subscribers - number * options.perSocket)
      for (let index = 0; index < count; index++) {
        const id = index === count - 1 ? PROBE : `s${index}`
        silent.add(`${number} ${id}`)
        socket.send(JSON.stringify({ id, type: "subscribe", payload: { query: options.query } }))
      }
    }
    return crowd
  }

  /** Whether each of them has been told something. @throws Error when one was let down */
  get isThere(): boolean {
    if (this.#failure) throw this.#failure
    return this.#silent === undefined || this.#silent.size === 0
  }

  /** Counts from nothing, when all are there. */
  begin(): void {
    this.#silent = undefined
    this.deliveries = 0
  }

  /** Resolves when so many changes were told, over all subscribers. @throws Error when one was let down */
  async reaches(deliveries: number): Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.deliveries >= deliveries) return
    this.#awaited = Math.min(this.#awaited, deliveries)
    const waiting = { ...Promise.withResolvers<void>(), deliveries }
    this.#waiting.add(waiting)
    await waiting.promise
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open) {
      socket.onclose = null
      socket.terminate()
    }
  }

  async #connect(number: number): Promise<WebSocket> {
    const { url, token } = this.#options
    const socket = new WebSocket(url.replace(/^http/, "ws"), { protocols: ["graphql-transport-ws"] })
    this.#open.push(socket)
    const acknowledged = Promise.withResolvers<void>()
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload: { token } }))
    socket.onclose = ({ code, reason }) => {
      acknowledged.reject(new Error(`${url} closed the connection (${code}) ${reason}`))
      this.#fail(`closed (${code}) ${reason}`)
    }
    socket.onmessage = ({ data }) => {
      const text = String(data)
      if (text.includes('"type":"next"')) this.#told(text, number)
      else if (text.includes('"type":"connection_ack"')) acknowledged.resolve()
      else if (text.includes('"type":"ping"')) socket.send('{"type":"pong"}')
      else this.#fail(text)
    }
    await acknowledged.promise
    return socket
  }

  #told(text: string, number: number): void {
    if (text.includes('"errors":')) {
      this.#fail(text)
      return
    }
    this.deliveries++
    if (this.#silent) this.#silent.delete(`${number} ${ID.exec(text)?.[1]}`)
    if (text.includes(`"id":"${PROBE}"`)) this.#options.heard(text, number)
    if (this.deliveries >= this.#awaited) this.#release()
  }

  /** A subscription has ended or could not be opened: what is counted from here on says nothing. */
  #fail(reason: string): void {
    this.#failure ??= new Error(`a subscriber was let down: ${reason.slice(0, 300)}`)
    for (const waiting of this.#waiting) waiting.reject(this.#failure)
    this.#waiting.clear()
  }

  #release(): void {
    this.#awaited = Infinity
    for (const waiting of this.#waiting) {
      if (waiting.deliveries > this.deliveries) this.#awaited = Math.min(this.#awaited, waiting.deliveries)
      else if (this.#waiting.delete(waiting)) waiting.resolve()
    }
  }
}
