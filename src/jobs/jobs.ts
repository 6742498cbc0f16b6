/** Work that outlives a process, in queues on Redis: given to whichever node has time, again where a node died over it. */
import { type Job, Queue, Worker } from "bullmq"
import * as v from "valibot"
import { atMost } from "../at-most.ts"
import { Closing } from "../closing.ts"
import type { Log } from "../log.ts"
import type { Redis, RedisClient } from "../redis/redis.ts"
import type { JobKind } from "./kinds.ts"

export interface Jobs extends AsyncDisposable {
  /**
   * Puts a job into its queue; one with the id of a job that is still there changes nothing.
   * @throws JobsUnavailable at once while Redis is away
   */
  add<Payload>(kind: JobKind<Payload>, payload: Payload, options?: { id?: string; delayMs?: number }): Promise<void>
  /** Runs a job every `everyMs` on one of the nodes, for as long as any node works; saying it on many nodes is once. */
  every<Payload>(kind: JobKind<Payload>, payload: Payload, everyMs: number): Promise<void>
  /**
   * Takes jobs of a kind, one at a time unless told how many. A job may run twice; one that fails is logged. Closing
   * waits for the running ones.
   */
  work<Payload>(
    kind: JobKind<Payload>,
    run: (payload: Payload) => Promise<void>,
    options?: { atOnce?: number },
  ): Promise<AsyncDisposable>
}

/** Redis is away: the job was not taken. */
export class JobsUnavailable extends Error {
  override readonly name = "JobsUnavailable"
}

const PREFIX = "busbar:jobs"
const KEEP = { removeOnComplete: { count: 100 }, removeOnFail: { count: 1_000 } }
const PATIENCE_MS = 2_000
/** How long a worker rests after Redis failed it. */
const RETRY_MS = 500
/** How often it is made sure that what runs every so often is still planned: somebody may have emptied Redis. */
const REPLAN_MS = 5_000
/** How long a stop waits for the running jobs, and for a Redis that does not answer. */
const CLOSE_MS = 3_000

interface JobsOptions {
  redis: Redis
  log: Log
  /** How often this node looks whether a plan is still there, ms. */
  replanEveryMs?: number
}

export function openJobs({ redis, log, replanEveryMs = REPLAN_MS }: JobsOptions): Jobs {
  return new BullJobs(redis, log, replanEveryMs)
}

class BullJobs implements Jobs {
  readonly #redis: Redis
  readonly #log: Log
  readonly #replanEveryMs: number
  readonly #closing: Closing
  readonly #queues = new Map<string, Promise<{ queue: Queue; client: RedisClient }>>()

  constructor(redis: Redis, log: Log, replanEveryMs: number) {
    this.#redis = redis
    this.#log = log
    this.#replanEveryMs = replanEveryMs
    this.#closing = new Closing(log)
  }

  async add<Payload>(
    kind: JobKind<Payload>,
    payload: Payload,
    { id, delayMs }: { id?: string; delayMs?: number } = {},
  ): Promise<void> {
    const { queue, client } = await this.#queueOf(kind.name)
    const options = { ...(id === undefined ? {} : { jobId: id }), ...(delayMs === undefined ? {} : { delay: delayMs }) }
    await answered(client, () => queue.add(kind.name, payload, options))
  }

  async every<Payload>(kind: JobKind<Payload>, payload: Payload, everyMs: number): Promise<void> {
    const { queue, client } = await this.#queueOf(kind.name)
    const schedule = () =>
      answered(client, () =>
        queue.upsertJobScheduler(kind.name, { every: everyMs }, { name: kind.name, data: payload }),
      )
    await schedule()
    // A Redis that comes back empty, or was emptied, has forgotten it.
    const scheduleAgain = async (isPlanned: () => Promise<boolean>): Promise<void> => {
      try {
        if (!(await isPlanned())) await schedule()
      } catch (cause) {
        this.#log.warn({ err: cause, job: kind.name }, "a job was not scheduled again")
      }
    }
    let planning: Promise<void> = Promise.resolve()
    client.on("ready", () => {
      planning = scheduleAgain(async () => false)
    })
    const replan = setInterval(() => {
      if (client.isReady) planning = scheduleAgain(async () => (await queue.getJobScheduler(kind.name)) !== undefined)
    }, this.#replanEveryMs)
    this.#closing.step(`plan of ${kind.name}`, async () => {
      clearInterval(replan)
      if (client.isReady) await atMost(planning, CLOSE_MS)
    })
  }

  async work<Payload>(
    kind: JobKind<Payload>,
    run: (payload: Payload) => Promise<void>,
    { atOnce = 1 }: { atOnce?: number } = {},
  ): Promise<AsyncDisposable> {
    const connection = await this.#redis.connect(`jobs-${kind.name}-worker`)
    const copies = copiesOf(connection)
    const running = new Set<Promise<void>>()
    const process = async (job: Job): Promise<void> => {
      const done = run(v.parse(kind.payload, job.data))
      running.add(done)
      await done.finally(() => running.delete(done))
    }
    const worker = new Worker(kind.name, process, {
      connection,
      concurrency: atOnce,
      prefix: PREFIX,
      runRetryDelay: RETRY_MS,
      ...KEEP,
    })
    worker.on("failed", (job, cause) => this.#log.warn({ err: cause, job: kind.name, jobId: job?.id }, "a job failed"))
    worker.on("error", (cause) => this.#log.debug({ err: cause, job: kind.name }, "a worker is in trouble"))
    await worker.waitUntilReady()
    const stop = async (): Promise<void> => {
      // A gentle end waits for Redis's answer, if need be for its return.
      const closed = worker.close(!connection.isReady)
      await Promise.all([atMost(Promise.allSettled(running), CLOSE_MS), atMost(closed, CLOSE_MS)])
      for (const client of [connection, ...copies]) if (client.isOpen) client.destroy()
    }
    let stopped: Promise<void> | undefined
    return this.#closing.add(`worker ${kind.name}`, { [Symbol.asyncDispose]: () => (stopped ??= stop()) })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing.run()
  }

  #queueOf(name: string): Promise<{ queue: Queue; client: RedisClient }> {
    const opened = this.#queues.get(name) ?? this.#openQueue(name)
    this.#queues.set(name, opened)
    return opened
  }

  async #openQueue(name: string): Promise<{ queue: Queue; client: RedisClient }> {
    const client = await this.#redis.connect(`jobs-${name}`, { failFast: true })
    const queue = new Queue(name, { connection: client, prefix: PREFIX, defaultJobOptions: KEEP })
    queue.on("error", (cause) => this.#log.debug({ err: cause, job: name }, "a queue is in trouble"))
    this.#closing.step(`queue ${name}`, async () => {
      // What is still on its way to Redis is answered first: BullMQ does not wait for all that it asks.
      if (client.isReady)
        await atMost(
          queue.close().then(() => client.close()),
          CLOSE_MS,
        )
      if (client.isOpen) client.destroy()
    })
    return { queue, client }
  }
}

/** The copies that BullMQ makes of a client from now on: it lets go of them only where Redis answers. */
function copiesOf(client: RedisClient): Pick<RedisClient, "isOpen" | "destroy">[] {
  const copies: Pick<RedisClient, "isOpen" | "destroy">[] = []
  const duplicate = client.duplicate.bind(client)
  client.duplicate = (...given) => {
    const copy = duplicate(...given)
    copies.push(copy)
    return copy
  }
  return copies
}

/** Bounds what would wait for Redis's return. */
async function answered(client: RedisClient, work: () => Promise<unknown>): Promise<void> {
  if (!client.isReady) throw new JobsUnavailable("Redis is away")
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(new Error("Redis does not answer")), PATIENCE_MS)
  try {
    await Promise.race([work(), silence.promise])
  } catch (cause) {
    throw new JobsUnavailable(cause instanceof Error ? cause.message : String(cause), { cause })
  } finally {
    clearTimeout(timer)
  }
}
