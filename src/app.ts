/** The wiring of one node: opens every room in the order of need and introduces them to each other. */
import { Registry, collectDefaultMetrics } from "prom-client"
import { type Api, startApi } from "../graphql/server.ts"
import { createServices } from "../graphql/services.ts"
import { startWorkers } from "../workers/index.ts"
import { Closing } from "./closing.ts"
import type { Config } from "./config.ts"
import { chargePointState } from "./facts/events.ts"
import { DEFAULT_ORGANISATION_ID } from "./facts/rows.ts"
import { type Gateway, startGateway } from "./gateway/server.ts"
import { openGatewayServices } from "./gateway/services.ts"
import { openJobs } from "./jobs/jobs.ts"
import type { Log } from "./log.ts"
import { measureNode } from "./metrics.ts"
import { type Resources, openResources } from "./resources.ts"
import { secretKey } from "./secret-key.ts"
import { type Commands, createCommands } from "./services/commands.ts"
import { Lines } from "./services/lines.ts"
import { Passwords } from "./services/passwords.ts"
import type { Clock } from "./services/ports.ts"
import { ensureFirstToken, Tokens } from "./services/tokens.ts"

/** A node that runs. Disposing stops it by plan; twice is once. */
export interface App extends AsyncDisposable {
  readonly nodeId: string
  /** The ports bound; undefined where the node does not have the role. */
  readonly ocppPort: number | undefined
  readonly httpPort: number | undefined
  /** The operator's first token, where this start made it. */
  readonly firstToken: string | null
  /** Makes a token for a program that this process starts, revoked when the node stops. */
  helperToken(name: string): Promise<string>
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Starts a node. @throws what keeps it from working, after closing what was open already. */
export async function startApp(config: Config, log: Log, clock: Clock = { now: Date.now }): Promise<App> {
  const closing = new Closing(log)
  try {
    return await openApp(config, log, clock, closing)
  } catch (cause) {
    await closing.run()
    throw cause
  }
}

async function openApp(config: Config, log: Log, clock: Clock, closing: Closing): Promise<App> {
  const passwords = new Passwords(await secretKey(config.SECRET_KEY, config.DATA_DIR))
  const resources = await openResources(config, { log, clock, closing })
  const { store, bus } = resources
  const firstToken = (await ensureFirstToken(store, clock, config.ADMIN_TOKEN)) ?? null
  const tokens = new Tokens(store, clock)
  const lines = new Lines()
  const commands = createCommands({ store, bus, lines, clock, log, callTimeoutMs: config.CALL_TIMEOUT * SECOND_MS })
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })

  if (config.ROLES.includes("worker")) await openWorkers(config, resources, { log, clock, closing })
  const gateway = config.ROLES.includes("gateway")
    ? openGateway(config, resources, { log, clock, closing, lines, passwords })
    : undefined
  measureNode(registry, { lines, store })
  const isReady = (): boolean => store.troubleSince() === null && bus.isReady && (gateway?.isServing ?? true)
  const api = config.ROLES.includes("api")
    ? openApi(config, resources, { log, clock, closing, passwords, commands, registry, isReady })
    : undefined

  return {
    nodeId: bus.nodeId,
    ocppPort: gateway?.port,
    httpPort: api?.port,
    firstToken,
    async helperToken(name) {
      const viewer = { organisationId: DEFAULT_ORGANISATION_ID, name: "this node", role: "Admin" } as const
      const { token, apiToken } = await tokens.create(viewer, { name, role: "Admin" })
      closing.step(`token of ${name}`, async () => {
        await tokens.revoke(viewer, apiToken.id)
      })
      return token
    },
    [Symbol.asyncDispose]: () => closing.run(),
  }
}

interface Surroundings {
  log: Log
  clock: Clock
  closing: Closing
}

async function openWorkers(config: Config, { store, redis, bus }: Resources, around: Surroundings): Promise<void> {
  const { log, clock, closing } = around
  const jobs = closing.add("jobs", openJobs({ redis, log: log.child({ room: "jobs" }) }))
  closing.add(
    "workers",
    await startWorkers({
      jobs,
      store,
      bus,
      clock,
      log: log.child({ room: "workers" }),
      silenceLimitMs: config.SILENCE_LIMIT * SECOND_MS,
      retention: {
        messagesMs: config.MESSAGE_RETENTION * DAY_MS,
        meterValuesMs: config.METER_VALUE_RETENTION * DAY_MS,
        journalMs: config.JOURNAL_RETENTION * HOUR_MS,
      },
    }),
  )
}

function openGateway(
  config: Config,
  { store, bus }: Resources,
  { log, clock, closing, lines, passwords }: Surroundings & { lines: Lines; passwords: Passwords },
): Gateway {
  const room = log.child({ room: "gateway" })
  const services = closing.add(
    "gateway services",
    openGatewayServices({
      store,
      bus,
      lines,
      passwords,
      clock,
      log: room,
      leniency: config.LENIENCY,
      openRegistration: config.REGISTRATION === "open",
      hideIdentities: config.HIDE_IDENTITIES,
      heartbeatIntervalS: config.HEARTBEAT_INTERVAL,
      bootRetryIntervalS: config.BOOT_RETRY_INTERVAL,
    }),
  )
  const gateway = closing.add(
    "gateway",
    startGateway({
      host: config.HOST,
      port: config.OCPP_PORT,
      services,
      log: room,
      pingIntervalMs: config.PING_INTERVAL * SECOND_MS,
      maxFrameBytes: config.MAX_FRAME_BYTES,
      storeTroubleLimitMs: config.STORE_TROUBLE_LIMIT * SECOND_MS,
      drainMs: config.DRAIN_TIME * SECOND_MS,
    }),
  )
  // The owner's connection takes over what an operator changed on any node.
  store.onJournal(({ events }) => {
    for (const event of events)
      if (event.type === "ChargePoint" && event.kind === "Updated") bus.tellUpdated(event.chargePoint.id)
  })
  bus.onUpdated((chargePointId) => {
    store.read.chargePointsByIds([chargePointId]).then(
      ([row]) => row !== undefined && gateway.chargePointUpdated(chargePointState(row)),
      (cause: unknown) => room.warn({ err: cause, chargePointId }, "an updated charge point was not read again"),
    )
  })
  return gateway
}

function openApi(
  config: Config,
  { store, bus, stream }: Resources,
  { log, clock, closing, passwords, commands, registry, isReady }: ApiSurroundings,
): Api {
  const room = log.child({ room: "api" })
  const { JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config
  const services = createServices({
    store,
    bus,
    stream,
    passwords,
    clock,
    log: room,
    commands,
    jwt: jwksUrl === undefined ? undefined : { jwksUrl, issuer, audience },
  })
  closing.add("authentication", services.authentication)
  return closing.add(
    "api",
    startApi({ host: config.HOST, port: config.HTTP_PORT, services, log: room, isReady, metrics: registry }),
  )
}

interface ApiSurroundings extends Surroundings {
  passwords: Passwords
  commands: Commands
  registry: Registry
  isReady: () => boolean
}
