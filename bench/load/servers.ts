/** The servers that are measured: a node of Busbar, the limit, and peers; each as a process of its own. */
import { join } from "node:path"
import { childrenOf, type Watched } from "./process-meter.ts"
import { type Program, startProgram } from "./programs.ts"
import type { Dialect } from "./replies.ts"
import { scratchFolder } from "./scratch.ts"

/** Whom the load meets. */
export interface Subject extends AsyncDisposable {
  /** As it stands in the table. */
  readonly name: string
  /** An identity is appended as the last segment. */
  readonly ocppUrl: string
  readonly dialect: Dialect
  /** What its CPU and memory are read from; none for a server elsewhere. */
  watched(): Watched[]
}

export interface Node extends Subject {
  readonly graphqlUrl: string
  readonly token: string
}

/** A node that the run may kill and start again on what it left behind. */
export interface OwnNode extends Node {
  kill(): Promise<void>
  /** After `kill`: the same node, on other ports. */
  restart(): Promise<void>
}

export interface NodeOptions {
  /** Beside what every node of a run is told. */
  environment?: Record<string, string>
  /** Other servers whose cost is a part of this node's. */
  watched?: readonly Watched[]
  /** Where the node writes a CPU profile at its end. */
  profileFolder?: string
}

const MAIN = join(import.meta.dir, "../../src/main.ts")

/** Starts a node as `npm start` does, with all that it keeps in a folder that goes with it. @throws Error when it ends at once */
export async function startNode({ environment = {}, watched = [], profileFolder }: NodeOptions = {}): Promise<OwnNode> {
  await using cleaning = new AsyncDisposableStack()
  const { path: folder } = cleaning.use(await scratchFolder("node"))
  const token = environment["ADMIN_TOKEN"] ?? `bench-${crypto.randomUUID()}`
  const profiling = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]
  const start = (): Promise<Program> =>
    startProgram({
      command: [process.execPath, "--no-orphans", ...profiling, MAIN],
      // Where no .env says otherwise.
      cwd: folder,
      environment: {
        HOST: "127.0.0.1",
        OCPP_PORT: "0",
        HTTP_PORT: "0",
        DATA_DIR: folder,
        ADMIN_TOKEN: token,
        LOG_LEVEL: "error",
        DRAIN_TIME: "0",
        ...environment,
      },
      ready: /(ws:\/\/\S+\/ocpp)\/[\s\S]*?(http:\/\/\S+\/graphql)\s/,
    })
  let program = await start()
  cleaning.defer(() => program[Symbol.asyncDispose]())
  const kept = cleaning.move()
  return {
    name: "busbar",
    dialect: "ocpp",
    token,
    get ocppUrl() {
      return program.ready[1] ?? ""
    },
    get graphqlUrl() {
      return program.ready[2] ?? ""
    },
    watched: () => [
      { name: "server", pid: program.pid },
      ...childrenOf(program.pid).map((pid) => ({ name: "redis", pid })),
      ...watched,
    ],
    kill: () => program.kill(),
    async restart() {
      program = await start()
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** A central system that runs already; it is left as it was found, and its costs are not seen. */
export const givenNode = (ocppUrl: string, graphqlUrl: string, token: string): Node => ({
  ...{ name: "busbar", dialect: "ocpp", ocppUrl, graphqlUrl, token },
  watched: () => [],
  [Symbol.asyncDispose]: async () => undefined,
})

export interface Limit extends Subject {
  /** The server's own address, http. */
  readonly url: string
}

/** The bare server, asked to treat chargers in one of its ways. */
export async function startLimit(kind: "echo" | "acknowledge" | "publish"): Promise<Limit> {
  const program = await startProgram({
    command: [process.execPath, "--no-orphans", join(import.meta.dir, "limit-server.ts")],
    ready: /listening on (\d+)\./,
    stopSignal: "SIGKILL",
  })
  const port = program.ready[1]
  return {
    name: "limit",
    url: `http://127.0.0.1:${port}`,
    ocppUrl: `ws://127.0.0.1:${port}/${kind}`,
    dialect: kind === "echo" ? "echo" : "acknowledge",
    watched: () => [{ name: "server", pid: program.pid }],
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** Whether the peer is installed and there is a program to run it. */
export function hasPeer(on: "node" | "bun"): boolean {
  try {
    import.meta.resolve("ocpp-rpc")
  } catch {
    return false
  }
  return on === "bun" || Bun.which("node") !== null
}

/** ocpp-rpc's strict server. */
export async function startPeer(on: "node" | "bun"): Promise<Subject> {
  const program = await startProgram({
    command: [
      ...(on === "bun" ? [process.execPath, "--no-orphans"] : ["node"]),
      join(import.meta.dir, "peer-server.mjs"),
    ],
    ready: /listening on (\d+)\./,
    stopSignal: "SIGKILL",
  })
  return {
    name: `ocpp-rpc on ${on === "bun" ? "Bun" : "Node"}`,
    ocppUrl: `ws://127.0.0.1:${program.ready[1]}/ocpp`,
    dialect: "ocpp",
    watched: () => [{ name: "server", pid: program.pid }],
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}
