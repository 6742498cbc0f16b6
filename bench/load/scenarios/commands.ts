/** From a mutation to the charge point and back with its answer: on one node, and across two. */
import { startCluster, startRedis } from "../databases.ts"
import { Histogram, spread } from "../histogram.ts"
import type { Parts } from "../parts.ts"
import { type Round, rowOf } from "../record.ts"
import { type Node, startLimit } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"

interface Way {
  scenario: string
  /** Where the charge point is. */
  holding: Node
  /** Where the operator asks. */
  asked: Node
  redisUrl: string
  postgresUrl?: string
  /** How many times the sum of its parts it may take. */
  times: number
}

export async function commands(stage: Stage): Promise<void> {
  {
    await using open = new AsyncDisposableStack()
    const redis = open.use(await startRedis())
    const node = open.use(await stage.node())
    await measure(stage, { scenario: "commands", holding: node, asked: node, redisUrl: redis.url, times: 1.5 })
  }
  if (stage.options.target) return
  await using open = new AsyncDisposableStack()
  const { redis, postgres, environment } = open.use(await startCluster(stage.options.databaseUrl))
  const holding = open.use(await stage.node({ environment }))
  const asked = open.use(await stage.node({ environment }))
  const urls = { redisUrl: redis.url, postgresUrl: postgres.url }
  await measure(stage, { scenario: "commands-across-nodes", holding, asked, ...urls, times: 2 })
}

async function measure(stage: Stage, { scenario, holding, asked, times, ...urls }: Way): Promise<void> {
  const { options, say } = stage
  await using open = new AsyncDisposableStack()
  const limit = open.use(await startLimit("echo"))
  const { identities, idTags } = open.use(await stage.enrol(asked, { chargers: 1, idTags: 1 }))
  const load = open.use(await Load.gather(holding, { identities, idTags, script: "heartbeat" }))
  const [identity = ""] = identities
  const { graphqlUrl, token } = asked
  const rounds: Round[] = []
  const sums: number[] = []
  const notes: string[] = []
  let refused: string[] = []
  await load.driver.ask("command", { graphqlUrl, token, identity, seconds: options.warmupS })
  for (let number = 1; number <= options.rounds; number++) {
    const told = await load.driver.ask("command", { graphqlUrl, token, identity, seconds: options.seconds })
    const parts = await load.driver.ask("parts", { seconds: options.seconds / 4, limitUrl: limit.url, ...urls })
    const histogram = Histogram.of(told.latencies)
    const round: Round = {
      perSecond: histogram.count / options.seconds,
      ...{ p50Ms: histogram.quantile(0.5), p99Ms: histogram.quantile(0.99), p999Ms: histogram.quantile(0.999) },
      ...{ cpuUs: {}, rssMiB: {}, generator: 0 },
    }
    rounds.push(round)
    sums.push(sumOf(parts))
    refused = [...refused, ...told.refused]
    if (number === options.rounds) notes.push(inWords(parts))
    say(
      `${scenario}: round ${number}/${options.rounds} p50 ${round.p50Ms.toFixed(2)} ms, the parts alone ${sumOf(parts).toFixed(2)} ms`,
    )
  }
  const faults = await load.driver.ask("faults", { name: "fleet" })
  const row = rowOf({ scenario, subject: asked.name, chargers: 1, unit: "commands" }, rounds, faults, notes)
  const ratios = spread(rounds.map(({ p50Ms }, index) => (sums[index] ?? 0) / p50Ms))
  const [example] = refused
  stage.results.push({
    ...row,
    errors: row.errors + refused.length,
    faults:
      example === undefined
        ? row.faults
        : {
            counts: { ...row.faults.counts, error: refused.length },
            examples: { ...row.faults.examples, error: example },
          },
    ratio: ratios.median,
    ratios,
    target: 1 / times,
    targetInWords: `p50 ≤ ${times} times its parts`,
  })
}

/** The mutation, Redis once, the socket once, and two commits: before the frame leaves, and with the answer. */
const sumOf = ({ mutationMs, redisMs, socketMs, commitMs }: Parts): number =>
  mutationMs + redisMs + socketMs + 2 * commitMs

const inWords = ({ mutationMs, redisMs, socketMs, commitMs }: Parts): string =>
  `alone: mutation ${mutationMs.toFixed(2)}, Redis ${redisMs.toFixed(2)}, socket ${socketMs.toFixed(2)}, commit ${commitMs.toFixed(2)} ms`
