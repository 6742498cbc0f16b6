/**
 * The scripted charge point over `ocpp-rpc` in strict mode: a client that is not ours, which holds every frame of both
 * directions against the official JSON schemas.
 */
import { RPCClient } from "ocpp-rpc"
import { CaseFailed, check, Refused } from "./stage.ts"
import type { Connecting, Payload, Reply, ScriptedChargePoint } from "./stage.ts"

export interface StrictChargePointOptions extends Connecting {
  /** Up to and including `/ocpp`. */
  url: string
  identity: string
  /** How long the central system has for an answer or an expected CALL, ms. */
  patienceMs?: number
}

/** A CALL that the script waits for. */
interface Expectation {
  action: string
  answer: Payload | (() => Promise<Payload>)
  arrived(request: Payload): void
}

/** Connects a charge point that follows a script. @throws Refused when the upgrade is refused. */
export async function connectStrictChargePoint(options: StrictChargePointOptions): Promise<ScriptedChargePoint> {
  const chargePoint = new StrictChargePoint(options)
  await chargePoint.connect()
  return chargePoint
}

class StrictChargePoint implements ScriptedChargePoint {
  readonly identity: string
  readonly #options: StrictChargePointOptions
  readonly #patienceMs: number
  #client: RPCClient | undefined
  /** In the order in which their CALLs are due. */
  readonly #expectations: Expectation[] = []
  #unexpected: string | undefined
  #closed = Promise.withResolvers<number>()

  constructor(options: StrictChargePointOptions) {
    this.identity = options.identity
    this.#options = options
    this.#patienceMs = options.patienceMs ?? 10_000
  }

  async connect(): Promise<void> {
    const client = new RPCClient({
      endpoint: this.#options.url,
      identity: this.identity,
      password: this.#options.password ?? null,
      headers: this.#options.authorization === undefined ? {} : { authorization: this.#options.authorization },
      protocols: ["ocpp1.6"],
      strictMode: this.#options.strict ?? true,
      reconnect: false,
      callTimeoutMs: this.#patienceMs,
    } as ConstructorParameters<typeof RPCClient>[0])
    client.handle(async ({ method, params }) => this.#answer(String(method), (params ?? {}) as Payload))
    client.on("strictValidationFailure", ({ error }: { error: Error }) => {
      this.#unexpected ??= `a frame broke the official schema: ${error.message}`
    })
    client.on("badMessage", ({ error }: { error: Error }) => {
      this.#unexpected ??= `a frame could not be understood: ${error.message}`
    })
    const closed = Promise.withResolvers<number>()
    client.on("disconnect", ({ code }: { code: number }) => closed.resolve(code))
    try {
      await client.connect()
    } catch (cause) {
      const status = (cause as { code?: unknown }).code
      throw typeof status === "number" ? new Refused(status) : cause
    }
    this.#client = client
    this.#closed = closed
  }

  get closed(): Promise<number> {
    return this.#closed.promise
  }

  async provoke(action: string, payload: unknown): Promise<Reply> {
    try {
      return { payload: (await this.#line().call(action, payload)) as Payload }
    } catch (cause) {
      const code = (cause as { rpcErrorCode?: unknown }).rpcErrorCode
      if (typeof code === "string") return { code }
      throw cause
    }
  }

  async ping(): Promise<void> {
    const line = this.#line()
    const pong = Promise.withResolvers<void>()
    line.once("ping", () => pong.resolve())
    line.reconfigure({ pingIntervalMs: 10 } as Parameters<RPCClient["reconfigure"]>[0])
    await pong.promise
    line.reconfigure({ pingIntervalMs: 30_000 } as Parameters<RPCClient["reconfigure"]>[0])
  }

  async call(action: string, payload: Payload): Promise<Payload> {
    this.#complain()
    try {
      return (await this.#line().call(action, payload)) as Payload
    } catch (cause) {
      throw new CaseFailed(`${action} was not answered with a valid CALLRESULT: ${String(cause)}`, { cause })
    }
  }

  async answering<Result>(
    action: string,
    answer: Payload | (() => Promise<Payload>),
    operatorActs: () => Promise<Result>,
  ): Promise<{ request: Payload; result: Result }> {
    this.#complain()
    const arrival = Promise.withResolvers<Payload>()
    const expectation = { action, answer, arrived: arrival.resolve }
    this.#expectations.push(expectation)
    const timer = setTimeout(
      () => arrival.reject(new CaseFailed(`no ${action} arrived within ${this.#patienceMs} ms`)),
      this.#patienceMs,
    )
    try {
      const [request, result] = await Promise.all([arrival.promise, operatorActs()])
      return { request, result }
    } finally {
      clearTimeout(timer)
      const position = this.#expectations.indexOf(expectation)
      if (position >= 0) this.#expectations.splice(position, 1)
    }
  }

  async reconnect(): Promise<void> {
    await this.#line().close({})
    await this.connect()
  }

  async settle(): Promise<void> {
    // What the central system sent before it answered this Heartbeat has arrived when the answer has.
    await this.call("Heartbeat", {})
    this.#complain()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close({ force: true })
  }

  async #answer(action: string, request: Payload): Promise<Payload> {
    const [expectation] = this.#expectations
    if (expectation?.action !== action) {
      this.#unexpected ??= `the central system sent ${action} unasked: ${JSON.stringify(request)}`
      throw new CaseFailed(this.#unexpected)
    }
    this.#expectations.shift()
    expectation.arrived(request)
    return typeof expectation.answer === "function" ? expectation.answer() : expectation.answer
  }

  #line(): RPCClient {
    check(this.#client !== undefined, "the charge point is not connected")
    return this.#client
  }

  #complain(): void {
    if (this.#unexpected !== undefined) throw new CaseFailed(this.#unexpected)
  }
}
