/** The wiring of one node: opens every room in the order of need and introduces them to each other. */
import { Registry, collectDefaultMetrics } from "prom-client"
import { type Api, startApi } from "../graphql/server.ts"
import { createServices } from "../graphql/services.ts"
import { shownImage } from "../graphql/shown-image.ts"
import { openWorkers } from "../workers/node.ts"
import { Closing } from "./closing.ts"
import type { FileDoors } from "./files/index.ts"
import { openNodeFiles } from "./files/node.ts"
import type { Config } from "./config.ts"
import { DEFAULT_ORGANISATION_ID } from "./facts/rows.ts"
import { type Gateway, startGateway } from "./gateway/server.ts"
import { openGatewayServices } from "./gateway/services.ts"
import type { Log } from "./log.ts"
import { measureNode } from "./metrics.ts"
import { type Resources, openResources } from "./resources.ts"
import { showVitalSigns, type VitalSigns } from "./vital-signs.ts"
import { secretKey } from "./secret-key.ts"
import { type Commands, createCommands } from "./services/commands.ts"
import { Lines } from "./services/lines.ts"
import { followUpdates } from "./services/owner-updates.ts"
import { Passwords } from "./services/passwords.ts"
import type { Clock } from "./services/ports.ts"
import { Seals } from "./services/seals.ts"
import { ensureFirstToken, Tokens } from "./services/tokens.ts"

/** A node that runs. Disposing stops it by plan; twice is once. */
export interface App extends AsyncDisposable {
  readonly nodeId: string
  readonly roles: Config["ROLES"]
  /** The port for charge points; undefined where the node is no gateway. */
  readonly ocppPort: number | undefined
  /** The port for people: the API where the node has that role, its vital signs in any case. */
  readonly httpPort: number
  /** The operator's first token, where this start made it. */
  readonly firstToken: string | null
  /** Makes a token for a program that this process starts, revoked when the node stops. */
  helperToken(name: string): Promise<string>
}

/** The address or the port of a listener cannot be had. */
export class CannotListen extends Error {
  override readonly name = "CannotListen"

  constructor(variable: string, port: number, host: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined
    const why = code === "EADDRINUSE" ? "is in use by another program" : `cannot be opened: ${String(cause)}`
    super(`${variable} ${port} on HOST ${host} ${why}`, { cause })
  }
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
/** A node that has nothing to do would else wake up for these samples a hundred times a second. */
const LAG_SAMPLED_EVERY_MS = 500

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
  const resources = await openResources(config, { log, clock, closing })
  const { store, bus, queueJobs } = resources
  const key = await secretKey(config.SECRET_KEY, config.DATA_DIR, store)
  const passwords = new Passwords(key)
  const seals = new Seals(key)
  const tokens = new Tokens(store, clock)
  const lines = new Lines()
  const commands = createCommands({
    store,
    bus,
    lines,
    jobs: queueJobs,
    seals,
    clock,
    log,
    callTimeoutMs: config.CALL_TIMEOUT * SECOND_MS,
    queueExpiryMs: config.COMMAND_QUEUE_EXPIRY * HOUR_MS,
  })
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLED_EVERY_MS })

  // Links name the port that charge points reach, which may not be known before it is open.
  let ocppPort = config.OCPP_PORT
  const files = await openNodeFiles(config, {
    store,
    commands,
    seals,
    clock,
    log,
    closing,
    ocppPort: () => ocppPort,
  }).catch((cause: unknown) => {
    throw isTaken(cause) ? new CannotListen("FTP_PORT", config.FTP_PORT ?? 0, config.HOST, cause) : cause
  })
  const { firmware } = files.services
  if (config.ROLES.includes("worker")) await openWorkers(config, resources, { log, clock, closing, firmware, seals })
  const gateway = config.ROLES.includes("gateway")
    ? openGateway(config, resources, { log, clock, closing, lines, passwords, files })
    : undefined
  ocppPort = gateway?.port ?? ocppPort
  measureNode(registry, { lines, store })
  const isReady = async (): Promise<boolean> =>
    store.troubleSince() === null &&
    bus.isReady &&
    !resources.meetsStrangers() &&
    (gateway?.isServing ?? true) &&
    // A Redis that stands still, or lies behind a dead wire, keeps its connections.
    (await bus.certain().then(
      () => true,
      () => false,
    ))
  const api = config.ROLES.includes("api")
    ? openApi(config, resources, { log, clock, closing, passwords, commands, registry, isReady, files })
    : undefined
  const watched = api ?? openVitalSigns(config, { log, closing, registry, isReady })
  // Both together: whoever waits for a charge point's answer is told it while the sockets are handed back.
  closing.step("listeners", async () => {
    await Promise.all([api?.[Symbol.asyncDispose](), gateway?.[Symbol.asyncDispose]()])
  })
  // Made last, and where it is shown: a start that fails must not use it up.
  const firstToken = api === undefined ? undefined : await ensureFirstToken(store, clock, config.ADMIN_TOKEN, log)

  return {
    nodeId: bus.nodeId,
    roles: config.ROLES,
    ocppPort: gateway?.port,
    httpPort: watched.port,
    firstToken: firstToken ?? null,
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

function openGateway(
  config: Config,
  { store, bus }: Resources,
  { log, clock, closing, lines, passwords, files }: GatewaySurroundings,
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
    listening(config, "OCPP_PORT", () =>
      startGateway({
        host: config.HOST,
        port: config.OCPP_PORT,
        services,
        files: (request, pathname) => files.forChargePoints(request, pathname),
        maxBodyBytes: files.maxLinkBodyBytes,
        log: room,
        pingIntervalMs: config.PING_INTERVAL * SECOND_MS,
        maxFrameBytes: config.MAX_FRAME_BYTES,
        storeTroubleLimitMs: config.STORE_TROUBLE_LIMIT * SECOND_MS,
        drainMs: config.DRAIN_TIME * SECOND_MS,
        admissionsAtOnce: config.ADMISSIONS_AT_ONCE,
        maxWaitingAdmissions: config.ADMISSION_QUEUE,
      }),
    ),
  )
  followUpdates({ store, bus, lines, log: room }, (state) => gateway.chargePointUpdated(state))
  return gateway
}

function openApi(
  config: Config,
  { store, bus, stream }: Resources,
  { log, clock, closing, passwords, commands, registry, isReady, files }: ApiSurroundings,
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
    firmware: files.services.firmware,
    firmwareCampaigns: files.services.firmwareCampaigns,
    diagnostics: files.services.diagnostics,
    jwt: jwksUrl === undefined ? undefined : { jwksUrl, issuer, audience },
  })
  closing.add("authentication", services.authentication)
  return closing.add(
    "api",
    listening(config, "HTTP_PORT", () =>
      startApi({
        host: config.HOST,
        port: config.HTTP_PORT,
        services,
        files: files.forPeople(services.authentication, shownImage),
        maxFileBytes: files.maxBodyBytes,
        log: room,
        isReady,
        metrics: registry,
      }),
    ),
  )
}

interface GatewaySurroundings extends Surroundings {
  lines: Lines
  passwords: Passwords
  files: FileDoors
}

interface ApiSurroundings extends Surroundings {
  files: FileDoors
  passwords: Passwords
  commands: Commands
  registry: Registry
  isReady: VitalSigns["isReady"]
}

const isTaken = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"

/** Opens a listener. @throws CannotListen */
function listening<Listener>(config: Config, name: "OCPP_PORT" | "HTTP_PORT", listen: () => Listener): Listener {
  try {
    return listen()
  } catch (cause) {
    throw new CannotListen(name, config[name], config.HOST, cause)
  }
}

/** Without the API, the listener for people shows whether the node lives and serves. */
function openVitalSigns(
  config: Config,
  { log, closing, registry, isReady }: Pick<ApiSurroundings, "log" | "closing" | "registry" | "isReady">,
): { readonly port: number } {
  const place = { host: config.HOST, port: config.HTTP_PORT, log: log.child({ room: "vital signs" }) }
  return closing.add(
    "vital signs",
    listening(config, "HTTP_PORT", () => showVitalSigns(place, { isReady, metrics: registry })),
  )
}
