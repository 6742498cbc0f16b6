/** What waits for a charge point outlives the node, Redis and its own worker, and reaches it once, in order, or never. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SQL } from "bun"
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { ConnectionLost } from "../../bench/wire.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { type Ask, createChargePoint } from "../support/graphql.ts"
import { follow, type Operator, operatorAt } from "../support/operator.ts"
import { type ServerProcess, startServerProcess } from "../support/server-process.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(90_000)

const TOKEN = "the-token-of-every-test-node"
const SECRET = "0123456789ABCDEF0123456789ABCDEF"

interface Told {
  __typename: string
  message?: string
  command?: { id: string; state: string; expiresAt: string | null }
}

/** Asks for ChangeConfiguration, which shall wait where the charge point is away. */
async function queue(ask: Ask, chargePoint: string, key: string, more: Record<string, unknown> = {}): Promise<Told> {
  const { result } = await ask<{ result: Told }>(
    `mutation ($input: ChangeConfigurationInput!) {
      result: changeConfiguration(input: $input) {
        __typename
        ... on ChangeConfigurationConfirmation { command { id state expiresAt } }
        ... on CommandQueued { command { id state expiresAt } }
        ... on Error { message }
      }
    }`,
    { input: { chargePoint, key, value: "1", delivery: { whenOffline: "QUEUE" }, ...more } },
  )
  return result
}

/** The keys that the charge point was asked to set, in the order in which it was. */
function listen(chargePoint: ChargePoint): { key: string; value: string }[] {
  const asked: { key: string; value: string }[] = []
  chargePoint.onCall("ChangeConfiguration", (request) => {
    asked.push(request as { key: string; value: string })
    return { status: "Accepted" }
  })
  return asked
}

const setStatus = (ask: Ask, identity: string, registrationStatus: string) =>
  ask("mutation ($input: UpdateChargePointInput!) { updateChargePoint(input: $input) { __typename } }", {
    input: { identity, registrationStatus },
  })

/** A folder for a node that is started and killed; gone at the end. */
async function openFolder() {
  const folder = await mkdtemp(join(tmpdir(), "busbar-queue-"))
  return {
    folder,
    environment: { DATA_DIR: folder, ADMIN_TOKEN: TOKEN, LOG_LEVEL: "error" },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

const operatorOf = (server: ServerProcess): Operator => operatorAt(server.graphqlUrl, TOKEN)

test("three that waited through kill -9 reach a charge point that boots, is let in, and not before: once, in order", async () => {
  await using place = await openFolder()
  {
    await using server = await startServerProcess(place.environment)
    const { ask } = operatorOf(server)
    await createChargePoint(ask, { identity: "Q", registrationStatus: "PENDING" })
    expect(await queue(ask, "Q", "first")).toMatchObject({ __typename: "CommandQueued", command: { state: "QUEUED" } })
    await queue(ask, "Q", "AuthorizationKey", { value: SECRET })
    await queue(ask, "Q", "third")
    await server.kill()
  }
  await using server = await startServerProcess(place.environment)
  const operator = operatorOf(server)
  await using changes = await follow<{ command: { id: string; state: string } }>(
    operator,
    "commandChanged { command { id state } }",
  )
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "Q" })
  const asked = listen(chargePoint)
  expect((await chargePoint.boot()).status).toBe("Pending")
  // What needs no acceptance and is sent now goes ahead of what waits for it.
  expect(await queue(operator.ask, "Q", "now", { delivery: { whenOffline: "FAIL" } })).toMatchObject({
    __typename: "ChangeConfigurationConfirmation",
  })
  await setStatus(operator.ask, "Q", "ACCEPTED")
  expect(await operator.commandStates("Q")).toEqual(["ANSWERED", "QUEUED", "QUEUED", "QUEUED"])
  expect((await chargePoint.boot()).status).toBe("Accepted")
  await until("all are answered", async () =>
    (await operator.commandStates("Q")).every((state) => state === "ANSWERED"),
  )
  expect(asked.map(({ key }) => key)).toEqual(["now", "first", "AuthorizationKey", "third"])
  expect(asked[2]?.value).toBe(SECRET)
  await until("the last is told", () => changes.items.length >= 8)
  expect(changes.items.map(({ command }) => command.state)).toEqual(Array(4).fill(["SENT", "ANSWERED"]).flat())
  // Once: a new connection finds nothing more.
  chargePoint.terminate()
  await until("it is gone", async () => !(await operator.isOnline("Q")))
  await chargePoint.connect()
  await chargePoint.boot()
  expect(await queue(operator.ask, "Q", "last")).toMatchObject({ __typename: "ChangeConfigurationConfirmation" })
  expect(asked.map(({ key }) => key)).toEqual(["now", "first", "AuthorizationKey", "third", "last"])
})

test("one that expired while everything was down is dealt with at the next start, and never sent", async () => {
  await using place = await openFolder()
  let expiresAt: number
  {
    await using server = await startServerProcess(place.environment)
    const { ask } = operatorOf(server)
    await createChargePoint(ask, { identity: "Q" })
    // From here on: on a busy machine the start alone may take as long.
    expiresAt = Date.now() + 3_000
    const delivery = { whenOffline: "QUEUE", expiresAt: new Date(expiresAt).toISOString() }
    await queue(ask, "Q", "expires", { delivery })
    await queue(ask, "Q", "stays")
    await server.kill()
  }
  await until("its time is over", () => Date.now() > expiresAt)
  await using server = await startServerProcess(place.environment)
  const operator = operatorOf(server)
  await until("it has expired", async () => (await operator.commandStates("Q"))[1] === "EXPIRED")
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "Q" })
  const asked = listen(chargePoint)
  await chargePoint.boot()
  await until("the other is answered", async () => (await operator.commandStates("Q"))[0] === "ANSWERED")
  expect(asked.map(({ key }) => key)).toEqual(["stays"])
})

test("an emptied Redis loses nothing that waits", async () => {
  await using place = await openFolder()
  {
    await using server = await startServerProcess(place.environment)
    const { ask } = operatorOf(server)
    await createChargePoint(ask, { identity: "Q" })
    await queue(ask, "Q", "first")
    await queue(ask, "Q", "second")
    await server.stop()
  }
  await rm(join(place.folder, "redis"), { recursive: true })
  await using server = await startServerProcess(place.environment)
  const operator = operatorOf(server)
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "Q" })
  const asked = listen(chargePoint)
  await chargePoint.boot()
  await until("both are answered", async () => (await operator.commandStates("Q")).join() === "ANSWERED,ANSWERED")
  expect(asked.map(({ key }) => key)).toEqual(["first", "second"])
})

test("what waited for a deleted charge point is never sent to another one of its name", async () => {
  await using place = await openFolder()
  await using server = await startServerProcess(place.environment)
  const operator = operatorOf(server)
  const { ask } = operator
  await createChargePoint(ask, { identity: "Q" })
  const { command } = await queue(ask, "Q", "old")
  await ask(`mutation { deleteChargePoint(input: { identity: "Q" }) { __typename } }`)
  const { node } = await ask<{ node: unknown }>(
    "query ($id: ID!) { node(id: $id) { ... on Command { state identity chargePoint { identity } error { code } } } }",
    { id: command?.id },
  )
  expect(node).toEqual({ state: "CANCELLED", identity: "Q", chargePoint: null, error: { code: "DELETED" } })
  await createChargePoint(ask, { identity: "Q" })
  await queue(ask, "Q", "new")
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "Q" })
  const asked = listen(chargePoint)
  await chargePoint.boot()
  await until("the new one is answered", async () => (await operator.commandStates("Q")).join() === "ANSWERED")
  expect(asked.map(({ key }) => key)).toEqual(["new"])
})

let ground: Ground
beforeAll(async () => {
  ground = await openGround()
})
afterAll(() => ground[Symbol.asyncDispose]())

/** Whatever is committed with a command as Sent waits until the guard goes: so a node can be killed at that very point. */
async function guardSent(databaseUrl: string) {
  const sql = new SQL(databaseUrl, { max: 2 })
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION wait_for_guard() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER guard_sent AFTER UPDATE ON commands DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.state = 'Sent') EXECUTE FUNCTION wait_for_guard()`)
  const guard = await sql.reserve()
  await guard`SELECT pg_advisory_lock(4711)`
  return {
    isReached: async () => {
      const rows = await sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted`
      return rows.length > 0
    },
    async [Symbol.asyncDispose]() {
      await guard`SELECT pg_advisory_unlock(4711)`
      guard.release()
      await sql.close()
    },
  }
}

test("a node killed between SENT and the frame leaves TIMED_OUT and no second frame; the next ones go on elsewhere", async () => {
  const { environment } = ground
  await using other = await startServerProcess(environment)
  const operator = operatorOf(other)
  await createChargePoint(operator.ask, { identity: "GUARDED" })
  for (const key of ["first", "second", "third"]) await queue(operator.ask, "GUARDED", key, { timeoutMs: 2_000 })
  await using server = await startServerProcess(environment)
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "GUARDED" })
  const asked = listen(chargePoint)
  {
    await using guard = await guardSent(environment["DATABASE_URL"] ?? "")
    await chargePoint.boot()
    await until("the first is being committed as SENT", () => guard.isReached())
    await server.kill()
  }
  await until("it is SENT", async () => (await operator.commandStates("GUARDED"))[2] === "SENT")
  await using again = await connectChargePoint({ url: other.ocppUrl, identity: "GUARDED" })
  const askedAgain = listen(again)
  await again.boot()
  const states = () => operator.commandStates("GUARDED")
  await until("all have ended", async () => (await states()).join() === "ANSWERED,ANSWERED,TIMED_OUT", 40_000)
  expect(asked).toBeEmpty()
  expect(askedAgain.map(({ key }) => key)).toEqual(["second", "third"])
})

test("a node that only works sends what waits, and never sees it in clear", async () => {
  const { environment } = ground
  await using _worker = await startServerProcess({ ...environment, HTTP_PORT: "0" }, [], "workers/main.ts")
  await using server = await startServerProcess({ ...environment, ROLES: "gateway,api" })
  const operator = operatorOf(server)
  await createChargePoint(operator.ask, { identity: "APART" })
  await queue(operator.ask, "APART", "AuthorizationKey", { value: SECRET })
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "APART" })
  const asked = listen(chargePoint)
  await chargePoint.boot()
  await until("it is answered", async () => (await operator.commandStates("APART"))[0] === "ANSWERED")
  expect(asked).toEqual([{ key: "AuthorizationKey", value: SECRET }])
})

test("a command is taken back while it waits, and not once it was sent", async () => {
  const { environment } = ground
  await using server = await startServerProcess(environment)
  const operator = operatorOf(server)
  const { ask } = operator
  const cancel = async (id: string | undefined) => {
    const { result } = await ask<{ result: Told & { reason?: string } }>(
      `mutation ($id: ID!) { result: cancelCommand(input: { id: $id }) {
        __typename
        ... on CancelCommandPayload { command { id state expiresAt } }
        ... on NotAllowedNow { reason }
      } }`,
      { id },
    )
    return result
  }
  await createChargePoint(ask, { identity: "CANCEL" })
  const { command } = await queue(ask, "CANCEL", "unwanted")
  const { command: wanted } = await queue(ask, "CANCEL", "wanted")
  const listed = await ask(
    `query { chargePoint(identity: "CANCEL") { commands(state: [QUEUED], first: 5) { edges { node { id } } } }
      commands(first: 5, filter: { state: [QUEUED], chargePoints: ["CANCEL"] }) { edges { node { id } } } }`,
  )
  const both = { edges: [{ node: { id: wanted?.id } }, { node: { id: command?.id } }] }
  expect(listed).toEqual({ chargePoint: { commands: both }, commands: both })
  expect(await cancel(command?.id)).toMatchObject({
    __typename: "CancelCommandPayload",
    command: { id: command?.id, state: "CANCELLED" },
  })
  expect(await cancel(command?.id)).toEqual({ __typename: "NotAllowedNow", reason: "it has been cancelled already" })
  await using chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "CANCEL" })
  const asked = listen(chargePoint)
  await chargePoint.boot()
  await until("the other is answered", async () => (await operator.commandStates("CANCEL"))[0] === "ANSWERED")
  expect(await cancel(wanted?.id)).toEqual({ __typename: "NotAllowedNow", reason: "it has been answered" })
  expect(await cancel("nonsense")).toEqual({ __typename: "CommandNotFound" })
  expect(asked.map(({ key }) => key)).toEqual(["wanted"])
})

test("however the charge point moves between nodes that stand still now and then, nothing comes twice or out of order", async () => {
  const { environment } = ground
  await using a = await startServerProcess(environment)
  await using b = await startServerProcess(environment)
  const nodes = [a, b]
  const operator = operatorOf(a)
  await createChargePoint(operator.ask, { identity: "MOVES" })
  const keys = Array.from({ length: 24 }, (_, n) => `k${String(n).padStart(2, "0")}`)
  // Asked for on both nodes in turn.
  for (const [n, key] of keys.entries())
    await queue(operatorOf(nodes[n % 2] ?? a).ask, "MOVES", key, { timeoutMs: 1_000 })
  const received: string[] = []
  const unfinished = async (): Promise<number> => {
    const { commands } = await operator.ask<{ commands: { edges: unknown[] } }>(
      `{ commands(first: 50, filter: { chargePoints: ["MOVES"], state: [QUEUED, SENT] }) { edges { node { id } } } }`,
    )
    return commands.edges.length
  }
  const visit = async (server: ServerProcess, calls: number): Promise<void> => {
    const chargePoint = await connectChargePoint({ url: server.ocppUrl, identity: "MOVES" })
    let left = calls
    chargePoint.onCall("ChangeConfiguration", ({ key }: { key?: unknown }) => {
      received.push(String(key))
      left--
      return { status: "Accepted" }
    })
    await chargePoint.boot()
    await until("enough came, or nothing is left", async () => left <= 0 || (await unfinished()) === 0, 30_000)
    chargePoint.terminate()
  }
  for (let round = 0; (await unfinished()) > 0; round++) {
    const [here, there] = round % 2 === 0 ? [a, b] : [b, a]
    // The one that the charge point has just left stands still over whatever it was about to do.
    if (round > 0 && there !== a) there.signal("SIGSTOP")
    // Over a transaction it holds up the others', who then send the charge point away: it comes again.
    await visit(here, 5).catch((cause: unknown) => {
      if (!(cause instanceof ConnectionLost)) throw cause
    })
    there.signal("SIGCONT")
  }
  expect(received).toEqual([...received].sort())
  expect(new Set(received).size).toBe(received.length)
  const states = new Set(
    (
      await operator.ask<{ commands: { edges: { node: { state: string } }[] } }>(
        `{ commands(first: 50, filter: { chargePoints: ["MOVES"] }) { edges { node { state } } } }`,
      )
    ).commands.edges.map(({ node }) => node.state),
  )
  for (const state of states) expect(["ANSWERED", "TIMED_OUT"]).toContain(state)
  expect(received.length).toBeGreaterThan(keys.length / 2)
})
