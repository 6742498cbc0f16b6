/** A real API on real parts: SQLite in a folder, Redis, the listener on a free port, and clients that are not ours. */
import { Database } from "bun:sqlite"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Client as SseClient, createClient as createSseClient } from "graphql-sse"
import { type Client as SocketClient, createClient as createSocketClient } from "graphql-ws"
import { Registry } from "prom-client"
import type { Limits } from "../../graphql/limits.ts"
import { startApi } from "../../graphql/server.ts"
import { type ApiPorts, createServices } from "../../graphql/services.ts"
import { openBus, type RedisBus } from "../../src/bus/bus.ts"
import { openEventStream } from "../../src/bus/stream.ts"
import { Closing } from "../../src/closing.ts"
import type { ChargePointRow, Role } from "../../src/facts/rows.ts"
import { createLog } from "../../src/log.ts"
import { openRedis } from "../../src/redis/redis.ts"
import type { Commands } from "../../src/services/commands.ts"
import { createFileServices } from "../../src/services/file-services.ts"
import { Passwords } from "../../src/services/passwords.ts"
import { type EventStream, type Reads, type Store, StoreUnavailable } from "../../src/services/ports.ts"
import { newChargePoint } from "../../src/services/registration.ts"
import { Seals } from "../../src/services/seals.ts"
import { Tokens } from "../../src/services/tokens.ts"
import { openStore } from "../../src/store/index.ts"
import { startRedis } from "../support/redis.ts"

export type Data = Record<string, unknown>

export interface Answer<Result = Data> {
  data?: Result | null
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[]
}

export interface Rig extends AsyncDisposable {
  store: Store
  bus: RedisBus
  stream: EventStream
  port: number
  /** How often each question was put to the store since the last `reads.clear()`. */
  reads: Map<string, number>
  /** Lets every question to the store fail, or this one, as without a database, or all work again. */
  breakStore(broken: boolean | keyof Reads): void
  /** Lines of the log at level error. */
  errorLines: string[]
  /** A token of this role; those of one organisation share its data. */
  token(role: Role, options?: { organisationId?: string; expiresAt?: number }): Promise<string>
  /** Asks over HTTP; with null without a token. */
  ask<Result = Data>(token: string | null, query: string, variables?: Data): Promise<Answer<Result>>
  socket(token: string): SocketClient
  sse(token: string): SseClient
  subscriptions(): number
  /** A figure as `/metrics` shows it. */
  metric(name: string): Promise<number>
  /** Stops the listener by plan, as a node does. */
  stopApi(): Promise<void>
}

interface RigOptions {
  /** Known beside the default one. */
  organisations?: string[]
  limits?: Partial<Limits>
  commands?: Commands["send"]
  cancel?: Commands["cancel"]
  jwt?: ApiPorts["jwt"]
  isReady?: () => boolean
  recheckTokensMs?: number
  /** How many events may wait for one follower. */
  maxWaiting?: number
}

const noCommands: Commands["send"] = async () => ({ kind: "Unavailable", reason: "this test sends no commands" })

const noCancel: Commands["cancel"] = async () => {
  throw new Error("this test cancels no commands")
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const errorLines: string[] = []
  const log = createLog("error", { write: (line) => void errorLines.push(line) })
  const closing = new Closing(log)
  const clock = { now: Date.now }
  const dataDir = mkdtempSync(join(tmpdir(), "busbar-test-graphql-"))
  closing.step("folder", () => rmSync(dataDir, { recursive: true, force: true }))
  const server = closing.add("redis-server", await startRedis())
  const store = closing.add("store", await openStore({ dataDir, log, now: clock.now }))
  for (const id of options.organisations ?? []) addOrganisation(join(dataDir, "busbar.sqlite"), id)
  const redis = closing.add("redis", await openRedis({ url: server.url, dataDir, log }))
  const stream = closing.add(
    "stream",
    await openEventStream({ redis, store, clock, log, maxWaiting: options.maxWaiting ?? 1_000 }),
  )
  store.onJournal((entry) => stream.publish(entry))
  const bus = closing.add(
    "bus",
    await openBus({
      redis,
      nodeId: `test-${crypto.randomUUID()}`,
      roles: ["api"],
      version: "0.0.0",
      storeId: "test",
      log,
      clock,
    }),
  )
  const reads = new Map<string, number>()
  let broken: boolean | keyof Reads = false
  const commands: Commands = { send: options.commands ?? noCommands, cancel: options.cancel ?? noCancel }
  const { firmware, firmwareCampaigns, diagnostics } = createFileServices({
    store,
    commands,
    seals: new Seals("a key for tests only"),
    clock,
    log,
    places: { http: () => "http://files.example", ftp: () => undefined },
    linkLifetimeMs: 3_600_000,
    maxImageBytes: 1_000_000,
    maxDiagnosticsBytes: 1_000_000,
  })
  const services = createServices({
    firmware,
    firmwareCampaigns,
    diagnostics,
    store: {
      change: (name, input) => store.change(name, input),
      read: counted(store.read, reads, (name) => broken === true || broken === name),
    },
    bus,
    stream,
    commands: { send: options.commands ?? noCommands, cancel: options.cancel ?? noCancel },
    passwords: new Passwords("a key for tests only"),
    clock,
    log,
    jwt: options.jwt,
    recheckTokensMs: options.recheckTokensMs ?? 2_000,
  })
  const api = startApi({
    host: "127.0.0.1",
    port: 0,
    services,
    log,
    isReady: options.isReady ?? (() => true),
    metrics: new Registry(),
    limits: options.limits ?? {},
    // As with the files of a real node, the listener lets more through than the API takes.
    maxFileBytes: 10_000_000,
  })
  closing.add("api", api)
  const url = `http://127.0.0.1:${api.port}/graphql`
  const tokens = new Tokens(store, clock)
  return {
    store,
    bus,
    stream,
    port: api.port,
    reads,
    breakStore(now) {
      broken = now
    },
    errorLines,
    async token(role, { organisationId = "default", expiresAt } = {}) {
      return (await tokens.create({ organisationId }, { name: `${role} of the test`, role, expiresAt })).token
    },
    async ask<Result>(token: string | null, query: string, variables: Data = {}) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token !== null && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as Answer<Result>
    },
    socket(token) {
      const client = createSocketClient({
        url: url.replace("http", "ws"),
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
      })
      closing.step("socket client", () => client.dispose())
      return client
    },
    sse(token) {
      const client = createSseClient({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 })
      closing.step("sse client", () => client.dispose())
      return client
    },
    subscriptions: () => api.subscriptions,
    async metric(name) {
      const shown = await (await fetch(`http://127.0.0.1:${api.port}/metrics`)).text()
      const figure = new RegExp(`^${name} (\\S+)$`, "m").exec(shown)?.[1]
      if (figure === undefined) throw new Error(`no metric ${name}`)
      return Number(figure)
    },
    stopApi: async () => api[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => closing.run(),
  }
}

/** Nothing in Busbar makes organisations: an operator of many brings them along. */
function addOrganisation(path: string, id: string): void {
  using db = new Database(path)
  db.run("PRAGMA busy_timeout = 5000")
  db.run("INSERT INTO organisations (id, name, created_at) VALUES (?, ?, 0)", [id, id])
}

function counted(read: Reads, counts: Map<string, number>, isBroken: (name: string) => boolean): Reads {
  return new Proxy(read, {
    get(target, name, receiver) {
      const question: unknown = Reflect.get(target, name, receiver)
      if (typeof question !== "function") return question
      return (...args: unknown[]) => {
        if (isBroken(String(name))) return Promise.reject(new StoreUnavailable())
        counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
        return question.apply(target, args)
      }
    },
  })
}

/** The result of a mutation whose only field is called `result`. */
export async function result(rig: Rig, token: string, query: string, variables: Data = {}): Promise<Data> {
  const { data, errors } = await rig.ask<{ result: Data }>(token, query, variables)
  if (!data) throw new Error(errors?.map(({ message }) => message).join("; ") ?? "no answer")
  return data.result
}

/** Announces a charge point straight to the store; gives its row. */
export async function chargePoint(
  rig: Rig,
  identity: string,
  change: Partial<ChargePointRow> = {},
): Promise<ChargePointRow> {
  const row = { ...newChargePoint("default", identity, Date.now()), ...change }
  await rig.store.change("createChargePoint", { chargePoint: row })
  return row
}
