/**
 * Whatever happens to the nodes and the wires between them, a charge point has one owner: its newest socket, which is the
 * one whose upgrade completed last. `OWNERSHIP_SEED` repeats a run, `OWNERSHIP_ROUNDS` asks for more of them.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { seeded } from "../../bench/random.ts"
import { NumberedSocket, type ShakyNode, startShakyNode } from "../support/chaos.ts"
import { type Ground, openGround } from "../support/cluster.ts"
import { createChargePoint } from "../support/graphql.ts"
import { until } from "../support/until.ts"

const ROUNDS = Number(process.env["OWNERSHIP_ROUNDS"] ?? 2)
const SEED = Number(process.env["OWNERSHIP_SEED"] ?? 20_260_401)
const LEASE_S = 2
const STEPS = 40
const CHARGE_POINTS = 4
/** A charge point does not wait for ever for its upgrade. */
const UPGRADE_PATIENCE_MS = 500

setDefaultTimeout(60_000 + ROUNDS * 30_000)

let ground: Ground
let nodes: ShakyNode[]

beforeAll(async () => {
  ground = await openGround()
  const environment = { NODE_LEASE: String(LEASE_S) }
  nodes = await Promise.all([startShakyNode(ground, environment), startShakyNode(ground, environment)])
})

afterAll(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
  await ground[Symbol.asyncDispose]()
})

/** What the operator is told of a DataTransfer: which socket answered it. */
interface Transferred {
  __typename: string
  data?: string
}

interface State {
  chargePoint: {
    online: boolean
    heldBy: { nodeId: string } | null
    connectors: { connectorId: number; info: string | null }[]
  }
}

/** A charge point, all sockets that it ever opened, in that order, and what went wrong. */
class Story {
  readonly identity: string
  readonly sockets: NumberedSocket[] = []
  readonly wrong: string[] = []
  readonly #busy: Promise<unknown>[] = []
  #opening: Promise<unknown> = Promise.resolve()

  constructor(identity: string) {
    this.identity = identity
  }

  get newest(): NumberedSocket | undefined {
    return this.sockets.at(-1)
  }

  /** One after the other, as a charge point does: so that it is plain which one is the newest. */
  open(node: ShakyNode): void {
    this.#opening = this.#opening.then(async () => {
      const socket = await NumberedSocket.open(node, this.identity, this.sockets.length + 1, UPGRADE_PATIENCE_MS)
      if (socket === undefined) return
      this.sockets.push(socket)
      this.#busy.push(socket.boot().then(() => socket.report()))
    })
    this.#busy.push(this.#opening)
  }

  /** Asks the charge point for its number through this node's API. */
  async command(node: ShakyNode): Promise<string | undefined> {
    // Whoever was told Accepted before the asking is the least that may answer.
    const accepted = this.sockets.findLast(({ acceptedAt }) => acceptedAt !== undefined)?.number ?? 0
    const told = await transfer(node, this.identity)
    if (told.data !== undefined && Number(told.data) < accepted)
      this.wrong.push(`a command asked after socket ${accepted} was accepted was answered by socket ${told.data}`)
    return told.data
  }

  commandLater(node: ShakyNode): void {
    this.#busy.push(this.command(node))
  }

  async settled(): Promise<void> {
    for (let done = 0; done < this.#busy.length; done = this.#busy.length) await Promise.all(this.#busy)
  }

  /** No socket was answered what it cannot have been answered before a newer one was told Accepted. */
  checkAnswers(): void {
    for (const older of this.sockets)
      for (const newer of this.sockets.slice(older.number))
        for (const { action, notBefore } of older.answers)
          if (newer.acceptedAt !== undefined && notBefore > newer.acceptedAt)
            this.wrong.push(
              `socket ${older.number} was answered ${action} ${Math.round(notBefore - newer.acceptedAt)} ms after socket ${newer.number} was accepted`,
            )
  }
}

async function transfer(node: ShakyNode, identity: string): Promise<Transferred> {
  const { result } = await node.operator.ask<{ result: Transferred }>(
    `mutation ($input: DataTransferInput!) {
      result: dataTransfer(input: $input) { __typename ... on DataTransferConfirmation { data } }
    }`,
    { input: { chargePoint: identity, vendorId: "number", timeoutMs: 1500 } },
  )
  return result
}

const stateOf = async (node: ShakyNode, identity: string): Promise<State["chargePoint"]> =>
  (
    await node.operator.ask<State>(
      "query ($identity: String!) { chargePoint(identity: $identity) { online heldBy { nodeId } connectors { connectorId info } } }",
      { identity },
    )
  ).chargePoint

type Random = () => number
const below = (random: Random, bound: number) => Math.floor(random() * bound)
const oneOf = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)] as Item

/** Trouble for one node, for a while: what is begun here is ended by the function that comes back. */
function trouble(random: Random, node: ShakyNode, sockets: () => NumberedSocket[]): () => void {
  switch (below(random, 4)) {
    case 0:
      node.pause()
      return () => {
        node.resume()
        for (const socket of sockets()) if (socket.node === node) socket.nodeWentOn()
      }
    case 1: {
      // Shortly: others wait for what it has locked, and send their charge points away when that takes too long.
      node.toStore.delay(1 + below(random, 100), oneOf(random, ["up", "down"] as const))
      return () => node.toStore.delay(0)
    }
    case 2:
      node.toRedis.pause(oneOf(random, ["up", "down"] as const))
      return () => node.toRedis.resume()
    default:
      node.toRedis.delay(1 + below(random, 200), oneOf(random, ["up", "down"] as const))
      return () => node.toRedis.delay(0)
  }
}

/** Where it is slow, trouble lasts longer than a lease and than any node waits for another one's word. */
async function play(random: Random, stories: readonly Story[], isSlow: boolean): Promise<void> {
  const ends = new Map<ShakyNode, { at: number; end: () => void }>()
  for (let step = 0; step < STEPS; step++) {
    for (const [node, { at, end }] of ends)
      if (step >= at) {
        end()
        ends.delete(node)
      }
    const story = oneOf(random, stories)
    const node = oneOf(random, nodes)
    const open = story.sockets.filter(({ isOpen }) => isOpen)
    const kind = random()
    if (kind < 0.4) story.open(node)
    else if (kind < 0.5 && open.length > 0)
      oneOf(random, [() => oneOf(random, open).close(), () => oneOf(random, open).terminate()])()
    else if (kind < 0.7) for (const socket of open) void socket.call("Heartbeat")
    else if (kind < 0.8) story.commandLater(oneOf(random, nodes))
    else if (!ends.has(node)) {
      const length = 1 + below(random, isSlow ? STEPS : 8)
      ends.set(node, { at: step + length, end: trouble(random, node, () => stories.flatMap(({ sockets }) => sockets)) })
    }
    // Older sockets go on talking: that is what must not be answered.
    for (const { sockets } of stories) for (const socket of sockets.slice(-3)) void socket.call("Heartbeat")
    await Bun.sleep(below(random, isSlow ? 250 : 60))
  }
  for (const { end } of ends.values()) end()
}

/** Once all trouble is over. */
async function expectOneOwner(story: Story): Promise<void> {
  await story.settled()
  story.checkAnswers()
  const { identity, newest } = story
  expect(story.wrong, identity).toEqual([])
  if (newest === undefined) return
  for (const older of story.sockets.slice(0, -1))
    await until(`${identity}: socket ${older.number} of ${story.sockets.length} is closed`, () => !older.isOpen)
  if (newest.closed !== undefined) {
    expect(newest.closed, `${identity}: the newest socket`).toBe("by us")
    await until(`${identity} is offline`, async () => !(await stateOf(nodes[0]!, identity)).online)
    expect(await transfer(nodes[1]!, identity)).toMatchObject({ __typename: "ChargePointOffline" })
    return
  }
  await newest.report()
  for (const node of nodes) {
    expect(await story.command(node), `${identity}: who answers a command`).toBe(String(newest.number))
    const { online, heldBy, connectors } = await stateOf(node, identity)
    expect(online, `${identity} is online`).toBe(true)
    expect(heldBy, `${identity} is held`).not.toBeNull()
    expect(connectors.find(({ connectorId }) => connectorId === 1)?.info).toBe(`socket ${newest.number}`)
  }
  expect(newest.closed).toBeUndefined()
}

test("two nodes and the wires between them pause and lag at random: the newest socket owns, no older one is answered", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED + round
    const random = seeded(seed)
    const stories: Story[] = []
    for (let n = 0; n < CHARGE_POINTS; n++) {
      const identity = `OWNED-${seed}-${n}`
      await createChargePoint(nodes[0]!.operator.ask, { identity })
      stories.push(new Story(identity))
    }
    try {
      await play(random, stories, round % 2 === 1)
      for (const story of stories) await expectOneOwner(story)
    } catch (cause) {
      throw new Error(`OWNERSHIP_SEED=${SEED} OWNERSHIP_ROUNDS=${round + 1} repeats it`, { cause })
    } finally {
      for (const { sockets } of stories) for (const socket of sockets) socket.terminate()
    }
  }
})
