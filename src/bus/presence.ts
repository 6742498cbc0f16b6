/** Who holds whom: ownership of charge points under growing epochs, and the leases by which nodes count as alive. */
import DataLoader from "dataloader"
import { Script } from "../redis/script.ts"
import type { Claim, Clock, NodePresence, Ownership } from "../services/ports.ts"
import { EPOCH_KEY, LEASE_PREFIX, NODE_CHANNEL_PREFIX, NODES_KEY, ownerKey, toldKey } from "./keys.ts"
import type { Link } from "./link.ts"
import { PATIENCE_MS, Yielding } from "./yielding.ts"

const BATCH = 500
const FORGET_NODES_MS = 86_400_000

// Gives several in a row, and returns the first. They are microseconds: tostring() would write them as 1.79e+15.
const NEXT_EPOCHS = new Script(`
local time = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local first = math.max(last + 1, tonumber(ARGV[1]) + 1, time[1] * 1000000 + time[2])
redis.call('SET', KEYS[1], string.format('%.0f', first + tonumber(ARGV[2]) - 1))
return string.format('%.0f', first)
`)

// Returns for each false where somebody newer holds it, else the living nodes that were told to let go and can hear it:
// also those that an owner before was still waiting for, who may be gone itself by now.
const CLAIM = new Script(`
local me, channel, lease = ARGV[1], ARGV[2], ARGV[3]
local claims, count = {}, #KEYS / 2
for i = 1, count do
  local key, lately = KEYS[i], KEYS[count + i]
  local mine, former, message = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local held = redis.call('GET', key)
  local epoch, owner = 0, ''
  if held then
    local space = string.find(held, ' ', 1, true)
    epoch, owner = tonumber(string.sub(held, 1, space - 1)), string.sub(held, space + 1)
  end
  if epoch > tonumber(mine) or (epoch == tonumber(mine) and owner ~= me) then
    claims[i] = false
  else
    redis.call('SET', key, mine .. ' ' .. me)
    local nodes, seen, told = redis.call('SMEMBERS', lately), {['']=true, [me]=true}, {}
    nodes[#nodes + 1] = owner
    nodes[#nodes + 1] = former
    for _, node in ipairs(nodes) do
      if not seen[node] then
        seen[node] = true
        local hear = redis.call('PUBLISH', channel .. node, message)
        if hear > 0 and redis.call('EXISTS', lease .. node) == 1 then told[#told + 1] = node end
      end
    end
    if #told > 0 then
      redis.call('SADD', lately, unpack(told))
      redis.call('PEXPIRE', lately, ${PATIENCE_MS})
    end
    claims[i] = told
  end
end
return claims
`)

const RELEASE = new Script(`
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[i] then redis.call('DEL', key) end
end
return 0
`)

const OWNERS = new Script(`
local alive, owners = {}, {}
for i, key in ipairs(KEYS) do
  local held = redis.call('GET', key)
  owners[i] = false
  if held then
    local node = string.sub(held, string.find(held, ' ', 1, true) + 1)
    if alive[node] == nil then alive[node] = redis.call('EXISTS', ARGV[1] .. node) == 1 end
    if alive[node] then owners[i] = held end
  end
end
return owners
`)

// Writes ownership back where nobody has taken a greater epoch meanwhile; returns the greater ones of other nodes.
const RESTORE = new Script(`
local superseded = {}
for i, key in ipairs(KEYS) do
  local held = redis.call('GET', key)
  local mine = ARGV[2 * i + 1]
  local epoch, owner = 0, nil
  if held then
    local space = string.find(held, ' ', 1, true)
    epoch, owner = tonumber(string.sub(held, 1, space - 1)), string.sub(held, space + 1)
  end
  if epoch < tonumber(mine) then
    redis.call('SET', key, mine .. ' ' .. ARGV[1])
    if owner and owner ~= ARGV[1] then
      redis.call('PUBLISH', ARGV[2] .. owner, '{"type":"Superseded","chargePointId":' .. ARGV[2 * i + 2] .. ',"epoch":' .. mine .. '}')
    end
  elseif epoch > tonumber(mine) and owner ~= ARGV[1] then
    superseded[#superseded + 1] = i - 1
    superseded[#superseded + 1] = string.format('%.0f', epoch)
  end
end
return superseded
`)

/** What one node says to another: the charge point was taken under this epoch. */
export interface SupersededMessage {
  type: "Superseded"
  chargePointId: string
  epoch: number
  /** Waits to hear that the older socket is closed. */
  claimant?: string
}

/** Makes one question of those of a turn of the event loop: thousands may connect, or go, at once. */
const together = <Asked, Answer>(ask: (asked: readonly Asked[]) => Promise<readonly Answer[]>) =>
  new DataLoader(ask, { cache: false, maxBatchSize: BATCH, batchScheduleFn: (send) => setImmediate(send) })

/** A charge point and the epoch under which it is taken or given back. */
interface Holding {
  chargePointId: string
  epoch: number
}

interface PresenceOptions {
  link: Link
  clock: Clock
  leaseMs: number
  self: Omit<NodePresence, "seenAt">
  /** A newer ownership than one of ours was found: what this node still does for an older one has to end at once. */
  onSuperseded: (chargePointId: string, epoch: number) => void
  /** The lease had run out, or was wiped: others may have taken this node for dead. */
  onLapse: () => Promise<void>
}

export class Presence {
  readonly #link: Link
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #self: Omit<NodePresence, "seenAt">
  readonly #held = new Map<string, number>()
  readonly #yielding = new Yielding()
  readonly #epochs = together((stored: readonly number[]) => this.#nextEpochs(stored))
  readonly #claims = together((claims: readonly (Holding & { formerNodeId: string | null })[]) => this.#claim(claims))
  readonly #releases = together((releases: readonly Holding[]) => this.#release(releases))
  readonly #owners = together(async (chargePointIds: readonly string[]) => {
    const owners = await this.ownersOf(chargePointIds)
    return chargePointIds.map((chargePointId) => owners.get(chargePointId))
  })
  /** Until all that a lapse asks for is done. */
  #hasLapsed = false
  readonly #onSuperseded: (chargePointId: string, epoch: number) => void
  readonly #onLapse: () => Promise<void>

  constructor(options: PresenceOptions) {
    this.#link = options.link
    this.#clock = options.clock
    this.#leaseMs = options.leaseMs
    this.#self = options.self
    this.#onSuperseded = options.onSuperseded
    this.#onLapse = options.onLapse
  }

  /** See `Bus.nextEpoch`. */
  nextEpoch(storedEpoch: number): Promise<number> {
    return this.#epochs.load(storedEpoch)
  }

  /** See `Bus.claim`. */
  async claim(chargePointId: string, epoch: number, formerNodeId: string | null): Promise<Claim | null> {
    const waiting = this.#yielding.begin(chargePointId, epoch)
    try {
      const told = await this.#claims.load({ chargePointId, epoch, formerNodeId })
      if (told === null) return null
      this.#held.set(chargePointId, Math.max(epoch, this.#held.get(chargePointId) ?? 0))
      return { yielded: waiting.by(told) }
    } finally {
      waiting.askedFor()
    }
  }

  /** A node that was told to let go of the charge point has done so. */
  noteYielded(chargePointId: string, epoch: number, nodeId: string): void {
    this.#yielding.note(chargePointId, epoch, nodeId)
  }

  /** Writes down an epoch that Redis does not know, or no longer; where a greater one is known, that one wins. */
  async register(chargePointId: string, epoch: number): Promise<void> {
    if (epoch < (this.#held.get(chargePointId) ?? 0)) return
    this.#held.set(chargePointId, epoch)
    await this.#restore([[chargePointId, epoch]])
  }

  /** Whether this node has taken the charge point, and has not heard that another one has taken it since. */
  holds(chargePointId: string): boolean {
    return this.#held.has(chargePointId)
  }

  /** See `Bus.release`. */
  async release(chargePointId: string, epoch: number): Promise<void> {
    if (this.#held.get(chargePointId) === epoch) this.#held.delete(chargePointId)
    await this.#releases.load({ chargePointId, epoch })
  }

  /** The charge point was taken under this epoch by another node. */
  noteSuperseded(chargePointId: string, epoch: number): void {
    if ((this.#held.get(chargePointId) ?? epoch) < epoch) this.#held.delete(chargePointId)
    this.#onSuperseded(chargePointId, epoch)
  }

  /** The owner, asked for together with the others of the turn: of use where nobody waits for it. */
  ownerTogether(chargePointId: string): Promise<Ownership | undefined> {
    return this.#owners.load(chargePointId)
  }

  /** See `Bus.ownersOf`. */
  async ownersOf(chargePointIds: readonly string[]): Promise<Map<string, Ownership>> {
    const owners = new Map<string, Ownership>()
    for (let at = 0; at < chargePointIds.length; at += BATCH) {
      const batch = chargePointIds.slice(at, at + BATCH)
      const found = await this.#link.ask((client) => OWNERS.run(client, batch.map(ownerKey), [LEASE_PREFIX]))
      for (const [index, held] of (found as (string | null)[]).entries()) {
        const chargePointId = batch[index]
        if (held === null || chargePointId === undefined) continue
        const space = held.indexOf(" ")
        owners.set(chargePointId, { epoch: Number(held.slice(0, space)), nodeId: held.slice(space + 1) })
      }
    }
    return owners
  }

  /** Shows the node for the first time. @throws BusUnavailable */
  async appear(): Promise<void> {
    await this.#renewLease()
  }

  /** Renews the node's lease. Where it had run out or was wiped, what this node holds is written down again. */
  async renew(): Promise<void> {
    if (!(await this.#renewLease())) this.#hasLapsed = true
    if (!this.#hasLapsed) return
    await this.#restore([...this.#held])
    await this.#onLapse()
    this.#hasLapsed = false
  }

  /** Writes down again what this node holds, after Redis was away. */
  async restore(): Promise<void> {
    await this.#renewLease()
    await this.#restore([...this.#held])
  }

  /** The nodes whose lease runs. */
  async nodes(): Promise<NodePresence[]> {
    const nodeIds = await this.#link.ask((client) => client.zRange(NODES_KEY, 0, -1))
    if (nodeIds.length === 0) return []
    const leases = await this.#link.ask((client) => client.mGet(nodeIds.map((nodeId) => `${LEASE_PREFIX}${nodeId}`)))
    return leases.flatMap((lease) => (lease === null ? [] : [JSON.parse(lease) as NodePresence]))
  }

  /** See `Bus.lapsedNodes`. */
  async lapsedNodes(): Promise<string[]> {
    const nodeIds = await this.#link.ask((client) => client.zRange(NODES_KEY, 0, -1))
    if (nodeIds.length === 0) return []
    const leases = await this.#link.ask((client) => client.mGet(nodeIds.map((nodeId) => `${LEASE_PREFIX}${nodeId}`)))
    return nodeIds.filter((_, index) => leases[index] === null)
  }

  /** Ends the lease: nobody counts on this node any more. */
  async leave(): Promise<void> {
    await this.#link.ask((client) =>
      client.multi().del(`${LEASE_PREFIX}${this.#self.nodeId}`).zRem(NODES_KEY, this.#self.nodeId).exec(),
    )
  }

  async #nextEpochs(stored: readonly number[]): Promise<number[]> {
    const args = [String(Math.max(...stored)), String(stored.length)]
    const first = Number(await this.#link.ask((client) => NEXT_EPOCHS.run(client, [EPOCH_KEY], args)))
    return stored.map((_, index) => first + index)
  }

  async #claim(claims: readonly (Holding & { formerNodeId: string | null })[]): Promise<(string[] | null)[]> {
    const { nodeId } = this.#self
    const args = claims.flatMap(({ chargePointId, epoch, formerNodeId }) => {
      const message: SupersededMessage = { type: "Superseded", chargePointId, epoch, claimant: nodeId }
      return [String(epoch), formerNodeId ?? "", JSON.stringify(message)]
    })
    const ids = claims.map(({ chargePointId }) => chargePointId)
    const keys = [...ids.map(ownerKey), ...ids.map(toldKey)]
    const told = await this.#link.ask((client) =>
      CLAIM.run(client, keys, [nodeId, NODE_CHANNEL_PREFIX, LEASE_PREFIX, ...args]),
    )
    return told as (string[] | null)[]
  }

  async #release(releases: readonly Holding[]): Promise<undefined[]> {
    const keys = releases.map(({ chargePointId }) => ownerKey(chargePointId))
    const mine = releases.map(({ epoch }) => `${epoch} ${this.#self.nodeId}`)
    await this.#link.ask((client) => RELEASE.run(client, keys, mine))
    return releases.map(() => undefined)
  }

  /** Whether the lease was running still. */
  async #renewLease(): Promise<boolean> {
    const now = this.#clock.now()
    const presence: NodePresence = { ...this.#self, seenAt: now }
    const [before] = await this.#link.ask((client) =>
      client
        .multi()
        .set(`${LEASE_PREFIX}${this.#self.nodeId}`, JSON.stringify(presence), {
          expiration: { type: "PX", value: this.#leaseMs },
          GET: true,
        })
        .zAdd(NODES_KEY, { score: now, value: this.#self.nodeId })
        .zRemRangeByScore(NODES_KEY, 0, now - FORGET_NODES_MS)
        .exec(),
    )
    return before !== null
  }

  async #restore(held: [chargePointId: string, epoch: number][]): Promise<void> {
    for (let at = 0; at < held.length; at += BATCH) {
      const batch = held.slice(at, at + BATCH)
      const keys = batch.map(([chargePointId]) => ownerKey(chargePointId))
      const args = batch.flatMap(([chargePointId, epoch]) => [String(epoch), JSON.stringify(chargePointId)])
      const reply = await this.#link.ask((client) =>
        RESTORE.run(client, keys, [this.#self.nodeId, NODE_CHANNEL_PREFIX, ...args]),
      )
      const superseded = reply as (number | string)[]
      for (let i = 0; i < superseded.length; i += 2) {
        const [chargePointId] = batch[Number(superseded[i])] ?? []
        if (chargePointId !== undefined) this.noteSuperseded(chargePointId, Number(superseded[i + 1]))
      }
    }
  }
}
