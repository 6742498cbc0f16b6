/** Fan-out paid once: subscriptions that say the same of the same share one execution and one text per event. */
import type { ExecutionArgs, ExecutionResult, GraphQLError } from "graphql"
import {
  createSourceEventStream,
  executeSubscriptionEvent,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from "graphql/execution"
import type { Story, Telling } from "../../src/services/following/story.ts"
import type { Viewer } from "../../src/services/viewer.ts"
import type { Context } from "../context.ts"
import { coded } from "../errors.ts"
import type { Limits } from "../limits.ts"
import { Loaders } from "../loaders.ts"
import { Group } from "./group.ts"
import { Result } from "./result.ts"
import { shapeOf } from "./shape.ts"
import { type Host, Subscriber } from "./subscriber.ts"

interface FanOutOptions {
  limits: Limits
  /** A failure as the client may see it. */
  mask(cause: unknown): GraphQLError
}

export class FanOut implements Host {
  readonly limits: Limits
  readonly mask: (cause: unknown) => GraphQLError
  readonly #groups = new Map<string, Group>()
  readonly #open = new Set<Subscriber>()
  /** By the context of their operation. */
  readonly #subscribers = new WeakMap<object, Subscriber>()
  #executions = 0
  #deliveries = 0

  constructor({ limits, mask }: FanOutOptions) {
    this.limits = limits
    this.mask = mask
  }

  /** How many subscriptions are open. */
  get subscriptions(): number {
    return this.#open.size
  }

  /** How many different ones there are among those that have caught up. */
  get groups(): number {
    return this.#groups.size
  }

  /** How often a subscription was executed for something told, shared or not. */
  get executions(): number {
    return this.#executions
  }

  /** How many results were handed to transports. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** What GraphQL's `subscribe` does, but for the results: a transport has to come for them, see `subscriberOf`. */
  async subscribe(args: ExecutionArgs, context: Context): Promise<Subscriber | ExecutionResult> {
    const operation = validateSubscriptionArgs(args)
    if (!("operation" in operation)) return { errors: operation }
    const story = await createSourceEventStream(operation)
    if (!(Symbol.asyncIterator in story)) return story
    if (!isStory(story)) throw new TypeError("a subscription has to give a story")
    const subscriber = new Subscriber(this, this.#catchingUp(operation, story, context), watchOf(context))
    this.#subscribers.set(context, subscriber)
    return subscriber
  }

  /** What came of the subscription with this context. */
  subscriberOf(context: object): Subscriber | undefined {
    return this.#subscribers.get(context)
  }

  /** Completes every subscription. */
  end(): void {
    for (const subscriber of this.#open) subscriber.end()
  }

  opened(subscriber: Subscriber): void {
    this.#open.add(subscriber)
  }

  delivered(count: number): void {
    this.#deliveries += count
  }

  ended(subscriber: Subscriber): void {
    this.#open.delete(subscriber)
  }

  #catchingUp(operation: ValidatedSubscriptionArgs, story: Story<Telling>, context: Context) {
    return {
      story,
      execute: (told: readonly Telling[]) => {
        // What hangs on these is asked for anew: earlier answers are of the past.
        context.loaders.clear()
        return Promise.all(told.map((one) => this.#execute(operation, one)))
      },
      join: () => this.#groupOf(operation, story, context),
    }
  }

  #groupOf(operation: ValidatedSubscriptionArgs, story: Story<Telling>, { viewer, services }: Context): Group {
    const { organisationId, role } = viewer
    const key = JSON.stringify([organisationId, role, story.scope, shapeOf(operation)])
    const known = this.#groups.get(key)
    if (known) return known
    const loaders = new Loaders(services, viewer)
    const contextValue: Context = { viewer: anybody(viewer), token: "", services, loaders }
    const group = new Group({
      story,
      execute: (told) => {
        loaders.clear()
        return Promise.all(told.map((one) => this.#execute({ ...operation, contextValue }, one)))
      },
      onEnd: () => {
        if (this.#groups.get(key) === group) this.#groups.delete(key)
      },
    })
    this.#groups.set(key, group)
    return group
  }

  async #execute(operation: ValidatedSubscriptionArgs, told: Telling): Promise<Result> {
    this.#executions++
    const { data, errors } = await executeSubscriptionEvent({ ...operation, rootValue: told })
    return new Result({ ...(errors && { errors: errors.map(this.mask) }), data })
  }
}

/** Says when the bearer's time is over. It lives as long as the subscription, and keeps nothing else of the context alive. */
function watchOf({
  services: { authentication },
  token,
  viewer,
}: Context): (ended: (cause: Error) => void) => () => void {
  return (ended) =>
    authentication.watch(token, viewer, () => ended(coded("the token has expired or was revoked", "FORBIDDEN")))
}

/** Everybody of this role in this organisation, and nobody in particular: no result may be made for one of them alone. */
const anybody = ({ organisationId, role }: Viewer): Viewer => ({
  organisationId,
  role,
  name: "",
  apiTokenId: null,
  expiresAt: null,
})

const isStory = (source: object): source is Story<Telling> => "begin" in source && "live" in source && "scope" in source
