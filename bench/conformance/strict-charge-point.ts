/**
 * The scripted charge point over `ocpp-rpc`: a client that is not ours. In strict mode it holds every frame of both
 * directions against the official JSON schemas; with `strict: false` it may send anything, and what it receives is
 * held against them all the same.
 */
import { RPCClient } from "ocpp-rpc"
import validators from "ocpp-rpc/lib/standard-validators"
import { CaseFailed, check, Refused, within } from "./stage.ts"
import type { Connecting, Payload, Reply, ScriptedChargePoint } from "./stage.ts"
import type { Transcript } from "./transcript.ts"

export interface StrictChargePointOptions extends Connecting {
  /** Up to and including `/ocpp`. */
  url: string
  identity: string
  /** How long the central system has for an answer or an expected CALL, ms. */
  patienceMs: number
  /** How long the charge point goes on listening at the end, ms. */
  quietMs: number
  transcript: Transcript
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

const schemas = validators[0]

/** The socket lies inside the library, and only there can one ping at will. */
class Line extends RPCClient {
  get isOpen(): boolean {
    return this._ws?.readyState === 1
  }

  async ping(): Promise<void> {
    const pong = Promise.withResolvers<void>()
    this._ws?.once("pong", () => pong.resolve())
    this._ws?.ping()
    return pong.promise
  }
}

class StrictChargePoint implements ScriptedChargePoint {
  readonly identity: string
  readonly #options: StrictChargePointOptions
  #line: Line | undefined
  /** In the order in which their CALLs are due. */
  readonly #expectations: Expectation[] = []
  /** The unique ids of the central system's CALLs. */
  readonly #seen = new Set<string>()
  /** What should never have arrived, as soon as it has: no step of the script waits for anything else then. */
  #trouble: CaseFailed | undefined
  readonly #inTrouble = Promise.withResolvers<never>()
  #closed = Promise.withResolvers<number>()
  /** Whether the script has seen the connection closed, as it should be. */
  #over = false

  constructor(options: StrictChargePointOptions) {
    this.identity = options.identity
    this.#options = options
    this.#inTrouble.promise.catch(() => undefined)
  }

  async connect(): Promise<void> {
    const { url, password = null, authorization, strict = true, patienceMs, transcript } = this.#options
    const line = new Line({
      endpoint: url,
      identity: this.identity,
      password,
      headers: authorization === undefined ? {} : { authorization },
      protocols: ["ocpp1.6"],
      strictMode: strict,
      reconnect: false,
      callTimeoutMs: patienceMs,
    } as ConstructorParameters<typeof RPCClient>[0])
    line.handle(async ({ method, params }) => this.#answer(String(method), (params ?? {}) as Payload))
    line.on("message", ({ message, outbound }: { message: unknown; outbound: boolean }) => {
      if (outbound) transcript.sent(this.identity, String(message))
      else transcript.received(this.identity, String(message))
    })
    line.on("call", ({ outbound, payload }: { outbound: boolean; payload: unknown[] }) => {
      if (!outbound) this.#noteCall(payload)
    })
    line.on("strictValidationFailure", ({ error, outbound }: { error: Error; outbound: boolean }) => {
      this.#complainOf(`${outbound ? "the script" : "a frame"} broke the official schema: ${wordsOf(error)}`)
    })
    line.on("badMessage", ({ error }: { error: Error }) => {
      this.#complainOf(`a frame could not be understood: ${error.message}`)
    })
    const closed = Promise.withResolvers<number>()
    line.on("disconnect", ({ code }: { code: number }) => closed.resolve(code))
    transcript.step("charge point", `${this.identity} connects`)
    try {
      await within(patienceMs, line.connect(), `no answer to the upgrade within ${patienceMs} ms`)
    } catch (cause) {
      const status = (cause as { code?: unknown }).code
      throw typeof status === "number" ? new Refused(status) : cause
    }
    this.#line = line
    this.#closed = closed
  }

  async closed(): Promise<number> {
    const { patienceMs } = this.#options
    const sentence = `the connection was not closed within ${patienceMs} ms`
    const code = await this.#orTrouble(within(patienceMs, this.#closed.promise, sentence))
    this.#over = true
    return code
  }

  async provoke(action: string, payload: unknown): Promise<Reply> {
    this.#options.transcript.step("charge point", `sends ${action}`, payload)
    let answer: Payload
    try {
      answer = (await this.#orTrouble(this.#openLine().call(action, payload))) as Payload
    } catch (cause) {
      const code = (cause as { rpcErrorCode?: unknown }).rpcErrorCode
      if (typeof code === "string") return { code }
      throw cause instanceof CaseFailed ? cause : new CaseFailed(`${action}: ${String(cause)}`, { cause })
    }
    this.#hold(`${action}.conf`, answer)
    return { payload: answer }
  }

  async ping(): Promise<void> {
    const { patienceMs, transcript } = this.#options
    transcript.step("charge point", "pings")
    await this.#orTrouble(within(patienceMs, this.#openLine().ping(), `no pong within ${patienceMs} ms`))
  }

  async call(action: string, payload: Payload): Promise<Payload> {
    this.#options.transcript.step("charge point", `sends ${action}`, payload)
    let answer: Payload
    try {
      answer = (await this.#orTrouble(this.#openLine().call(action, payload))) as Payload
    } catch (cause) {
      if (cause instanceof CaseFailed) throw cause
      throw new CaseFailed(`${action} was not answered with a valid CALLRESULT: ${wordsOf(cause)}`, { cause })
    }
    this.#hold(`${action}.conf`, answer)
    return answer
  }

  async answering<Result>(
    action: string,
    answer: Payload | (() => Promise<Payload>),
    operatorActs: () => Promise<Result>,
  ): Promise<{ request: Payload; result: Result }> {
    this.#throwTrouble()
    const { patienceMs } = this.#options
    const arrival = Promise.withResolvers<Payload>()
    const expectation = { action, answer, arrived: arrival.resolve }
    this.#expectations.push(expectation)
    try {
      const arrived = within(patienceMs, arrival.promise, `no ${action} arrived within ${patienceMs} ms`)
      const [request, result] = await this.#orTrouble(Promise.all([arrived, operatorActs()]))
      return { request, result }
    } finally {
      const position = this.#expectations.indexOf(expectation)
      if (position >= 0) this.#expectations.splice(position, 1)
    }
  }

  async reconnect(): Promise<void> {
    this.#options.transcript.step("charge point", "closes its connection")
    await this.#openLine().close({})
    await this.connect()
  }

  async settle(): Promise<void> {
    this.#throwTrouble()
    if (this.#over) return
    const { patienceMs, quietMs } = this.#options
    check(this.#line?.isOpen === true, "the central system closed the connection")
    await this.#orTrouble(Bun.sleep(quietMs))
    check(this.#line.isOpen, "the central system closed the connection")
    // What the central system sent before the pong has arrived with it.
    await this.#orTrouble(within(patienceMs, this.#line.ping(), `no pong within ${patienceMs} ms`))
    this.#throwTrouble()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line?.close({ force: true })
  }

  async #answer(action: string, request: Payload): Promise<Payload> {
    this.#hold(`${action}.req`, request)
    const [expectation] = this.#expectations
    if (expectation?.action !== action) {
      throw this.#complainOf(`the central system sent ${action} unasked: ${JSON.stringify(request)}`)
    }
    this.#expectations.shift()
    expectation.arrived(request)
    const { answer } = expectation
    const confirmation = typeof answer === "function" ? await answer() : answer
    this.#options.transcript.step("charge point", `answers ${action} with`, confirmation)
    return confirmation
  }

  #noteCall([, uniqueId, action, payload]: unknown[]): void {
    this.#options.transcript.step("central system", `sends ${String(action)}`, payload)
    if (this.#seen.has(String(uniqueId))) this.#complainOf(`the unique id ${String(uniqueId)} came twice`)
    this.#seen.add(String(uniqueId))
  }

  /** Holds a payload against the official schema. @throws CaseFailed when it does not pass. */
  #hold(message: string, payload: Payload): void {
    try {
      schemas.validate(`urn:${message}`, payload)
    } catch (cause) {
      throw this.#complainOf(`${message} broke the official schema: ${wordsOf(cause)}`)
    }
  }

  #openLine(): Line {
    this.#throwTrouble()
    check(this.#line !== undefined, "the charge point is not connected")
    return this.#line
  }

  /** The first complaint is the reason of the failure. */
  #complainOf(sentence: string): CaseFailed {
    this.#trouble ??= new CaseFailed(sentence)
    this.#inTrouble.reject(this.#trouble)
    return this.#trouble
  }

  #throwTrouble(): void {
    if (this.#trouble) throw this.#trouble
  }

  #orTrouble<Value>(promise: Promise<Value>): Promise<Value> {
    return Promise.race([promise, this.#inTrouble.promise])
  }
}

/** What a failure of the library says, with what the schema's check found. */
function wordsOf(cause: unknown): string {
  const { details } = cause as { details?: { errors?: unknown } }
  return `${String(cause)}${details?.errors === undefined ? "" : ` ${JSON.stringify(details.errors)}`}`
}
