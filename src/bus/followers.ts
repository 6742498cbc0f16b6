/** Who follows on this node, found by what an event names: nobody is asked about what cannot concern them. */
import type { Event } from "../facts/events.ts"
import type { RecordedEvent } from "../facts/recorded.ts"
import type { Interest, StreamEvent } from "../services/ports.ts"
import type { Entry, Told } from "./entry.ts"
import type { Follower } from "./follower.ts"

interface Following {
  interest: Interest
  follower: Follower
}

export class Followers {
  /** Under each key that an event may be looked up by. */
  readonly #byKey = new Map<string, Set<Following>>()
  /** Each follower with what undoes its following. */
  readonly #all = new Map<Follower, (() => void)[]>()
  /** How many follow each type of event. */
  readonly #ofType = new Map<Event["type"], number>()

  add(interest: Interest, follower: Follower): void {
    const following = { interest, follower }
    this.#count(interest.type, 1)
    const keys = keysOf(interest)
    for (const key of keys) {
      const there = this.#byKey.get(key)
      if (there === undefined) this.#byKey.set(key, new Set([following]))
      else there.add(following)
    }
    const undo = () => {
      this.#count(interest.type, -1)
      for (const key of keys) {
        const there = this.#byKey.get(key)
        there?.delete(following)
        if (there?.size === 0) this.#byKey.delete(key)
      }
    }
    this.#all.set(follower, [...(this.#all.get(follower) ?? []), undo])
  }

  remove(follower: Follower): void {
    for (const undo of this.#all.get(follower) ?? []) undo()
    this.#all.delete(follower)
  }

  /** The events of an entry that have to be completed before it is told: somebody may want them, and follows transactions. */
  incomplete(entry: Entry): Told[] {
    if (!this.#ofType.has("Transaction")) return []
    return entry.told.filter(
      (told) => told.isIncomplete && keysOfEvent("Transaction", told.recorded).some((key) => this.#byKey.has(key)),
    )
  }

  /** Gives an entry's events to those who want them; whether anybody did. */
  tell(entry: Entry): boolean {
    if (this.#all.size === 0) return false
    let wanted = false
    for (const told of entry.told) {
      for (const type of told.recorded.types) {
        if (!this.#ofType.has(type)) continue
        for (const key of keysOfEvent(type, told.recorded)) {
          for (const following of this.#byKey.get(key) ?? []) wanted = this.#offer(entry, told, following) || wanted
        }
      }
    }
    return wanted
  }

  /** Ends all of them, as `Follower.end` does, and forgets them. */
  end(error?: Error): void {
    for (const follower of this.#all.keys()) follower.end(error)
    this.#all.clear()
    this.#byKey.clear()
    this.#ofType.clear()
  }

  #offer(entry: Entry, told: Told, { interest, follower }: Following): boolean {
    let item: StreamEvent | undefined
    try {
      item = told.itemFor(interest)
      if (item !== undefined) follower.offer(entry.id, item)
    } catch (cause) {
      follower.end(cause instanceof Error ? cause : new Error(String(cause)))
    }
    if (follower.hasEnded) this.remove(follower)
    return item !== undefined
  }

  #count(type: Event["type"], change: 1 | -1): void {
    const count = (this.#ofType.get(type) ?? 0) + change
    if (count > 0) this.#ofType.set(type, count)
    else this.#ofType.delete(type)
  }
}

/** The keys that one follower is found under: those of the narrowest kind, of which an event has at most one. */
function keysOf(interest: Interest): string[] {
  const { organisationId, type, campaignId, commandId, transactionId, chargePointIds, identities } = interest
  const key = (kind: string, value: string | number) => keyOf(organisationId, type, kind, value)
  if (campaignId !== undefined) return [key("campaign", campaignId)]
  if (commandId !== undefined) return [key("command", commandId)]
  if (transactionId !== undefined) return [key("transaction", transactionId)]
  if (chargePointIds !== undefined) return [...new Set(chargePointIds)].map((id) => key("charge point", id))
  if (identities !== undefined) return [...new Set(identities)].map((identity) => key("identity", identity))
  return [key("all", "")]
}

function keysOfEvent(type: Event["type"], event: RecordedEvent): string[] {
  const { organisationId, campaignId, commandId, transactionId, chargePointId, identity } = event
  const keys = [keyOf(organisationId, type, "all", ""), keyOf(organisationId, type, "charge point", chargePointId)]
  if (identity !== undefined) keys.push(keyOf(organisationId, type, "identity", identity))
  if (transactionId !== undefined) keys.push(keyOf(organisationId, type, "transaction", transactionId))
  if (commandId !== undefined) keys.push(keyOf(organisationId, type, "command", commandId))
  if (campaignId !== undefined) keys.push(keyOf(organisationId, type, "campaign", campaignId))
  return keys
}

const keyOf = (organisationId: string, type: string, kind: string, value: string | number): string =>
  `${organisationId}\n${type}\n${kind}\n${value}`
