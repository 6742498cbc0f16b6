/** Redis is killed under the nodes and comes back: with all it had, with less, or with nothing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { type Ground, openGround } from "../support/cluster.ts"
import { type Ask, graphqlOver } from "../support/graphql.ts"
import { type ServerProcess, startServerProcess } from "../support/server-process.ts"
import { type AnyChange, Subscriber, type Transport } from "../support/subscribers.ts"
import { Audience, compare, complete, Journal, Listener } from "../support/story.ts"
import { Traffic } from "../support/traffic.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(120_000)

const CHARGERS = 8

let ground: Ground
let token: string
let nodes: [ServerProcess, ServerProcess]
let journal: Journal
let ask: Ask
let traffics = 0

async function startNodes(): Promise<void> {
  const environment = { ...ground.environment, LOG_LEVEL: "fatal" }
  nodes = await Promise.all([startServerProcess(environment), startServerProcess(environment)])
  ask = graphqlOver(nodes[0].graphqlUrl, token)
}

beforeAll(async () => {
  ground = await openGround()
  token = ground.environment["ADMIN_TOKEN"] ?? ""
  journal = new Journal(ground.environment["DATABASE_URL"] ?? "")
  await startNodes()
})

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()))
  await journal[Symbol.asyncDispose]()
  await ground[Symbol.asyncDispose]()
})

/** Charge points of a test's own, on both nodes. */
async function newTraffic(): Promise<Traffic> {
  const traffic = new Traffic({
    places: () => nodes,
    ...{ chargers: CHARGERS, prefix: `REDIS-${++traffics}-`, seed: traffics, token, commands: 0.3 },
  })
  await traffic.enrol(ask)
  return traffic
}

/** Somebody on each node for every kind of change, who has begun with a snapshot. */
async function listen({ prefix }: Traffic): Promise<Audience> {
  // Those of other tests may still be on their way out.
  await journal.begin(prefix)
  const audience = Audience.ofAll(token)
  for (const [index, { subscriber }] of audience.listeners.entries()) await subscriber.begin(urlOf(index))
  return audience
}

/** Everybody has been told all that happened, exactly once and in order. */
async function expectComplete({ listeners }: Audience): Promise<void> {
  for (const listener of listeners) expect(await complete(listener, journal)).toEqual([])
}

const urls = (): string[] => nodes.map(({ graphqlUrl }) => graphqlUrl)

const urlOf = (index: number): string => nodes[index % 2 === 0 ? 0 : 1].graphqlUrl

/** What a subscription with this cursor ends with, once Redis is back. */
async function endingBehind(cursor: string, url: string): Promise<string> {
  using audience = new Audience([new Listener("ChargePoint", { transport: "graphql-ws", token })])
  using _coming = audience.comesBack([url])
  const [listener] = audience.listeners
  listener?.subscriber.resume(url, cursor)
  return await until("the subscription ends", () => {
    const ending = listener?.subscriber.endings[0]
    return ending !== "UNAVAILABLE" && ending
  })
}

test("killed and restarted with its append-only file, it has lost nothing of the story", async () => {
  await using traffic = await newTraffic()
  using audience = await listen(traffic)
  const { listeners } = audience
  using _coming = audience.comesBack(urls())
  const running = traffic.start()
  const goOn = (messages: number) => {
    const enough = traffic.acknowledged + messages
    return until("charge points are answered", () => traffic.acknowledged >= enough, 60_000)
  }
  await goOn(200)
  await ground.redis.kill()
  await goOn(100)
  // Some lose their connection meanwhile; nobody can be told anything before Redis is back.
  const fallen = listeners.slice(4)
  for (const { subscriber } of fallen) subscriber.cut()
  await goOn(100)
  await ground.redis.restart()
  for (const [index, { subscriber }] of fallen.entries()) subscriber.resume(urlOf(index + 1))
  await goOn(200)
  await running.stop()

  await expectComplete(audience)
  expect(audience.endings.filter((ending) => !ending.endsWith(": UNAVAILABLE"))).toEqual([])
})

describe("come back with less than it had", () => {
  const ways = {
    "from an older file, while every node is restarted": { copy: (backup: string) => backup, withNodes: true },
    "from an older file": { copy: (backup: string) => backup, withNodes: false },
    empty: { copy: () => undefined, withNodes: false },
  }

  test.each(Object.entries(ways))(
    "%s: old cursors have expired, a new snapshot is right and goes on",
    async (_, way) => {
      await using traffic = await newTraffic()
      using before = await listen(traffic)
      await traffic.run(1)
      await expectComplete(before)
      const backup = await ground.redis.backup()
      const early = cursorsOf(before)
      await traffic.run(1)
      await expectComplete(before)
      const late = cursorsOf(before)
      // What is marked as published nobody publishes again.
      await until("the journal is done with it", async () => (await journal.unpublished()) === 0)

      if (way.withNodes) await Promise.all(nodes.map((node) => node.kill()))
      await ground.redis.kill()
      await ground.redis.restore(way.copy(backup))
      await ground.redis.restart()
      if (way.withNodes) await startNodes()
      else
        for (const { name, subscriber } of before.listeners)
          expect(await until(`${name} is let go`, () => subscriber.endings[0])).toBe("CURSOR_EXPIRED")

      for (const [index, cursor] of [...early, ...late].entries())
        expect(await endingBehind(cursor, urlOf(index))).toBe("CURSOR_EXPIRED")

      await using again = way.withNodes ? await newTraffic() : undefined
      const going = again ?? traffic
      for (const charger of going.chargers.slice(0, 3)) {
        if (again) await charger.connect()
        await charger.start()
      }
      using after = await listen(going)
      using overSocket = new Screen("graphql-ws")
      using overSse = new Screen("graphql-sse")
      const screens = [overSocket, overSse]
      for (const [index, screen] of screens.entries()) {
        await screen.begin(urlOf(index))
        expect(screen.shown()).toEqual(await queried())
      }
      await going.run(1)
      await expectComplete(after)
      const there = await queried()
      for (const screen of screens) {
        await until("the screen is up to date", () => Bun.deepEquals(screen.shown(), there), 5_000).catch(
          () => undefined,
        )
        expect(screen.shown()).toEqual(there)
      }
    },
  )
})

test("where it lost the last moment, nobody is told anything twice, and nobody misses anything unawares", async () => {
  await using traffic = await newTraffic()
  using live = await listen(traffic)
  await traffic.run(1)
  await expectComplete(live)
  const backup = await ground.redis.backup()
  using resumed = Audience.ofAll(token)
  const cursors = live.listeners.map(({ subscriber }) => subscriber.cursor)
  const soFar = live.listeners.map(({ told }) => told)
  await traffic.run(1)
  await expectComplete(live)
  await ground.redis.kill()
  await ground.redis.restore(backup)
  await ground.redis.restart()
  using _comingBack = live.comesBack(urls())
  using _coming = resumed.comesBack(urls())
  for (const [index, { subscriber }] of resumed.listeners.entries()) subscriber.resume(urlOf(index + 1), cursors[index])
  await traffic.run(1)
  // Whoever is not told to begin anew has missed nothing.
  for (const listener of live.listeners) expect(await faultsOf(listener)).toEqual([])
  for (const [index, listener] of resumed.listeners.entries())
    expect(await faultsOf(listener, soFar[index])).toEqual([])
})

/** What is wrong with what somebody was told, who may be told to begin anew; `before` was told to whoever it was before. */
async function faultsOf(listener: Listener, before: readonly string[] = []): Promise<string[]> {
  const { subscriber, name } = listener
  const hasEnded = () => subscriber.endings.length > 0 && subscriber.endings[0] !== "UNAVAILABLE"
  const wrong = await until(`${name} is told all, or that this cannot be`, async () => {
    const isOver = hasEnded()
    const told = [...before, ...listener.told]
    const { faults, missing } = compare(await journal.read(listener.type), told)
    return (isOver || faults.length > 0 || missing === 0) && faults
  })
  return [...wrong, ...subscriber.endings.filter((ending) => !["CURSOR_EXPIRED", "UNAVAILABLE"].includes(ending))]
}

const cursorsOf = ({ listeners }: Audience): Set<string> =>
  new Set(listeners.map(({ subscriber }) => subscriber.cursor ?? "none"))

interface ShownChargePoint {
  identity: string
  online: boolean
  connectors: Record<number, string | null>
}

interface Connector {
  connectorId: number
  info: string | null
}

interface Shown {
  chargePoints: ShownChargePoint[]
  /** The running ones. */
  transactions: number[]
}

interface ChargePointItem extends AnyChange {
  chargePoint: { identity: string; online: boolean; connectors: Connector[] }
  connector: Connector | null
}

interface TransactionItem extends AnyChange {
  transaction: { transactionId: number; state: string }
}

const infosOf = (connectors: readonly Connector[]): Record<number, string | null> =>
  Object.fromEntries(connectors.map(({ connectorId, info }) => [connectorId, info]))

/** A live screen: what was there when it was opened, changed by what it was told since. */
class Screen implements Disposable {
  readonly #chargePoints: Subscriber<ChargePointItem>
  readonly #transactions: Subscriber<TransactionItem>

  constructor(transport: Transport) {
    this.#chargePoints = new Subscriber(transport, token, {
      field: "chargePointChanged",
      selection: "chargePoint { identity online connectors { connectorId info } } connector { connectorId info }",
    })
    this.#transactions = new Subscriber(transport, token, {
      field: "transactionChanged",
      selection: "transaction { transactionId state }",
    })
  }

  async begin(url: string): Promise<void> {
    await this.#chargePoints.begin(url)
    await this.#transactions.begin(url)
  }

  shown(): Shown {
    const chargePoints = new Map<string, ShownChargePoint>()
    for (const { chargePoint } of this.#chargePoints.snapshot)
      chargePoints.set(chargePoint.identity, { ...chargePoint, connectors: infosOf(chargePoint.connectors) })
    for (const { chargePoint, connector } of this.#chargePoints.seen) {
      const { identity, online } = chargePoint
      const connectors = { ...chargePoints.get(identity)?.connectors, ...(connector && infosOf([connector])) }
      chargePoints.set(identity, { identity, online, connectors })
    }
    const running = new Set<number>()
    for (const { transaction } of [...this.#transactions.snapshot, ...this.#transactions.seen]) {
      if (transaction.state === "ACTIVE") running.add(transaction.transactionId)
      else running.delete(transaction.transactionId)
    }
    return inOrder({ chargePoints: [...chargePoints.values()], transactions: [...running] })
  }

  [Symbol.dispose](): void {
    this.#chargePoints.cut()
    this.#transactions.cut()
  }
}

const inOrder = ({ chargePoints, transactions }: Shown): Shown => ({
  chargePoints: chargePoints.toSorted((one, other) => (one.identity < other.identity ? -1 : 1)),
  transactions: transactions.toSorted((one, other) => one - other),
})

/** The same, by a query. */
async function queried(): Promise<Shown> {
  interface Answer {
    chargePoints: { edges: { node: { identity: string; online: boolean; connectors: Connector[] } }[] }
    transactions: { edges: { node: { transactionId: number } }[] }
  }
  const { chargePoints, transactions } = await ask<Answer>(`{
    chargePoints(first: 100) { edges { node { identity online connectors { connectorId info } } } }
    transactions(first: 100, filter: { state: [ACTIVE] }) { edges { node { transactionId } } }
  }`)
  return inOrder({
    chargePoints: chargePoints.edges.map(({ node }) => ({ ...node, connectors: infosOf(node.connectors) })),
    transactions: transactions.edges.map(({ node }) => node.transactionId),
  })
}
