/** The environment, read in one place: every variable with its meaning, default and check; a frozen, typed result. */
import * as v from "valibot"

/** What a node does; by default all three. */
export const ROLES = ["gateway", "api", "worker"] as const
export type NodeRole = (typeof ROLES)[number]

interface Variable<Value> {
  /** What `--help` prints; starts in lower case, units named. */
  help: string
  /** As it would be written in the environment; undefined: there is none. */
  default?: string
  schema: v.GenericSchema<string | undefined, Value>
}

const variable = <Value>(
  help: string,
  fallback: string | undefined,
  schema: v.GenericSchema<string | undefined, Value>,
): Variable<Value> => (fallback === undefined ? { help, schema } : { help, default: fallback, schema })

const text = v.pipe(v.string("is missing"), v.trim(), v.nonEmpty("is empty"))
const optionalText = v.optional(text)

const integer = (min: number, max: number) =>
  v.pipe(
    text,
    v.regex(/^\d+$/, `must be a whole number from ${min} to ${max}`),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  )

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  v.pipe(text, v.picklist(words, `must be one of ${words.join(", ")}`))

const flag = v.pipe(
  oneOf(["true", "false"]),
  v.transform((word) => word === "true"),
)

const url = (...protocols: string[]) =>
  v.optional(
    v.pipe(
      text,
      v.check(
        (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
        `must be a URL beginning with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
      ),
    ),
  )

const port = integer(0, 65_535)

const VARIABLES = {
  OCPP_PORT: variable("port that charge points connect to (ws://host:port/ocpp/<identity>)", "9220", port),
  HTTP_PORT: variable("port of the GraphQL API; on every node also of /healthz, /readyz and /metrics", "4000", port),
  HOST: variable("address both listeners bind to", "0.0.0.0", text),
  DATA_DIR: variable("folder of everything a node keeps on disk", "./data", text),
  DATABASE_URL: variable(
    "postgres://… of the store; left out: SQLite in DATA_DIR",
    undefined,
    url("postgres:", "postgresql:"),
  ),
  REDIS_URL: variable(
    "redis://… shared by all nodes; left out: the node runs its own redis-server",
    undefined,
    url("redis:", "rediss:"),
  ),
  ROLES: variable(
    "what this node does, separated by commas",
    "gateway,api,worker",
    v.pipe(
      text,
      v.transform((list) => list.split(",").map((word) => word.trim())),
      v.array(v.picklist(ROLES, `must name roles out of ${ROLES.join(", ")}`)),
      v.minLength(1),
    ),
  ),
  NODE_LEASE: variable(
    "after this long without a sign of life a node counts as dead and what it held as free, in s; the same on every node",
    "9",
    integer(1, 60),
  ),
  NODE_ID: variable("name of this node among the others; left out: made at every start", undefined, optionalText),
  ADMIN_TOKEN: variable(
    "bearer token of the operator; left out: one is made at the first start and shown once",
    undefined,
    v.optional(
      v.pipe(
        text,
        v.minLength(16, "must have at least 16 characters"),
        v.regex(/^[\x21-\x7e]*$/, "must be ASCII without white space: it stands in a header"),
      ),
    ),
  ),
  SECRET_KEY: variable(
    "key for password hashes and for what waits to be sent; made and kept in DATA_DIR with SQLite, required with PostgreSQL",
    undefined,
    v.optional(v.pipe(text, v.minLength(16, "must have at least 16 characters"))),
  ),
  JWKS_URL: variable(
    "JSON Web Key Set of an identity provider whose JWTs are accepted too",
    undefined,
    url("https:", "http:"),
  ),
  JWT_ISSUER: variable("the iss claim such a JWT must carry", undefined, optionalText),
  JWT_AUDIENCE: variable("the aud claim such a JWT must carry", undefined, optionalText),
  LOG_LEVEL: variable(
    "least severe log line that is written",
    "info",
    oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  ),
  HEARTBEAT_INTERVAL: variable("heartbeat interval given to charge points, in s", "300", integer(1, 86_400)),
  BOOT_RETRY_INTERVAL: variable("wait given to Pending and Rejected charge points, in s", "60", integer(1, 86_400)),
  CALL_TIMEOUT: variable("how long a charge point has to answer a command, in s", "30", integer(1, 600)),
  COMMAND_QUEUE_EXPIRY: variable(
    "how long a command waits for its charge point when nobody says how long, in hours",
    "24",
    integer(1, 720),
  ),
  LENIENCY: variable("what deviations from the standard meet by default", "tolerant", oneOf(["strict", "tolerant"])),
  REGISTRATION: variable(
    "open: an unknown charge point that connects is created; closed: it is refused",
    "closed",
    oneOf(["open", "closed"]),
  ),
  HIDE_IDENTITIES: variable("answer unknown identities like wrong passwords (401)", "false", flag),
  PING_INTERVAL: variable(
    "a WebSocket silent for this long is pinged, and closed after twice as long, in s; one that never answers pings is closed after the greater of that and twice its heartbeat interval",
    "60",
    integer(4, 480),
  ),
  SILENCE_LIMIT: variable(
    "a charge point not heard of for this long is taken for offline, in s",
    "900",
    integer(10, 604_800),
  ),
  MAX_FRAME_BYTES: variable("largest frame accepted from a charge point", "262144", integer(4_096, 16_777_216)),
  ADMISSIONS_AT_ONCE: variable(
    "so many charge points are let in at once, the others wait for their turn",
    "250",
    integer(1, 10_000),
  ),
  ADMISSION_QUEUE: variable(
    "when so many wait to be let in, those that come are told to come later (503)",
    "10000",
    integer(0, 1_000_000),
  ),
  STORE_TROUBLE_LIMIT: variable(
    "after this long without a working store, charge points are sent away, in s",
    "10",
    integer(1, 600),
  ),
  DRAIN_TIME: variable("over how long sockets are handed back at a stop, in s", "2", integer(0, 600)),
  MESSAGE_RETENTION: variable("how long the wire log is kept, in days", "14", integer(1, 3_650)),
  FILES_URL: variable(
    "URL under which charge points reach /files of OCPP_PORT, for links to firmware and diagnostics; left out: http://, this machine's address and OCPP_PORT",
    undefined,
    url("http:", "https:"),
  ),
  FILE_LINK_LIFETIME: variable("how long such a link opens, in hours", "24", integer(1, 8_760)),
  FIRMWARE_MAX_BYTES: variable("largest firmware image that is taken", "268435456", integer(1, 4_294_967_296)),
  DIAGNOSTICS_MAX_BYTES: variable("largest diagnostics file that is taken", "104857600", integer(1, 4_294_967_296)),
  DIAGNOSTICS_RETENTION: variable("how long diagnostics are kept, in days", "90", integer(1, 3_650)),
  FTP_PORT: variable(
    "port of the FTP server for charge points that know nothing else; left out: there is none",
    undefined,
    v.optional(port),
  ),
  FTP_PUBLIC_HOST: variable(
    "host under which charge points reach FTP_PORT and FTP_PASSIVE_PORTS; left out: this machine's address",
    undefined,
    optionalText,
  ),
  FTP_PASSIVE_PORTS: variable(
    "ports of FTP's data connections, first-last",
    "50000-50099",
    v.pipe(
      text,
      v.regex(/^\d{1,5}-\d{1,5}$/, "must be two ports with a dash between them"),
      v.transform((range) => {
        const [first = 0, last = 0] = range.split("-").map(Number)
        return { first, last }
      }),
      v.check(({ first, last }) => first >= 1024 && first <= last && last <= 65_535, "must lie within 1024-65535"),
    ),
  ),
  FTP_TLS_CERT: variable(
    "PEM file of the certificate for explicit TLS on FTP; left out: without TLS",
    undefined,
    optionalText,
  ),
  FTP_TLS_KEY: variable("PEM file of that certificate's private key", undefined, optionalText),
  METER_VALUE_RETENTION: variable("how long readings are kept, in days", "730", integer(1, 36_500)),
  JOURNAL_RETENTION: variable(
    "how long the journal of events is kept, in hours; what Redis was away too long to be told of goes too",
    "72",
    integer(1, 8_760),
  ),
  STREAM_RETENTION: variable(
    "how many events the stream in Redis keeps for subscribers that come back, each of about 1 KB",
    "200000",
    integer(1_000, 10_000_000),
  ),
} satisfies Record<string, Variable<unknown>>

type Variables = typeof VARIABLES
type VariableName = keyof Variables

/** What the environment says, checked: each variable under its own name. */
export type Config = Readonly<{ [Name in VariableName]: v.InferOutput<Variables[Name]["schema"]> }>

/** Everything that is wrong with the environment, one line each. */
export class BadConfig extends Error {
  override readonly name = "BadConfig"
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  ${problem}`).join("\n")}`)
    this.problems = problems
  }
}

/** Reads the environment. Unset and empty mean the default. @throws BadConfig with every problem found. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { schema, default: fallback }] of Object.entries<Variable<unknown>>(VARIABLES)) {
    const given = environment[name]
    const result = v.safeParse(schema, given === undefined || given === "" ? fallback : given)
    if (result.success) values[name] = result.output
    else problems.push(...result.issues.map((issue) => `${name} ${issue.message}`))
  }
  if (environment["DATABASE_URL"] && !environment["SECRET_KEY"])
    problems.push("SECRET_KEY is required with DATABASE_URL, the same on every node")
  if (isPartOfNode(values["ROLES"]) && !(environment["DATABASE_URL"] && environment["REDIS_URL"]))
    problems.push(
      "ROLES names a part of a node: the nodes with the other parts need the same DATABASE_URL and REDIS_URL",
    )
  if (!environment["FTP_TLS_CERT"] !== !environment["FTP_TLS_KEY"])
    problems.push("FTP_TLS_CERT and FTP_TLS_KEY are set together or not at all")
  if (problems.length > 0) throw new BadConfig(problems)
  return Object.freeze(values) as Config
}

const isPartOfNode = (roles: unknown): boolean => Array.isArray(roles) && ROLES.some((role) => !roles.includes(role))

/** The text of `--help`: how to start, and every variable with its default. */
export function helpText(): string {
  const lines = Object.entries<Variable<unknown>>(VARIABLES).map(
    ([name, { help, default: fallback }]) =>
      `  ${name.padEnd(22)} ${help}${fallback === undefined ? "" : ` [${fallback}]`}`,
  )
  return [
    "Busbar, a charging station management system for OCPP 1.6-J.",
    "",
    "  npm start                 run a node",
    "  npm start -- --demo       run a node with a small fleet of simulated charge points",
    "  npm start -- --help       this text",
    "",
    "Configuration is by environment variables:",
    "",
    ...lines,
    "",
  ].join("\n")
}

/** The text of `.env.example`: every variable, commented out, with its default. */
export function envExample(): string {
  const lines = Object.entries<Variable<unknown>>(VARIABLES).map(
    ([name, { help, default: fallback }]) => `# ${help}\n#${name}=${fallback ?? ""}\n`,
  )
  return ["# Busbar's settings. All have a default, or may be left out.\n", ...lines].join("\n")
}
