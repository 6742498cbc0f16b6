/** Busbar, its limit and its peers under the same closed loop, in turns: `heartbeat`, `meter-values`, `transactions`. */
import { onPostgres, startPostgres } from "../databases.ts"
import { cpuOf, type Round, resultOf, type Row, roundOf, rowOf } from "../record.ts"
import type { ScriptName } from "../script.ts"
import { hasPeer, startLimit, startPeer, type Subject } from "../servers.ts"
import type { StoreName } from "../options.ts"
import { Load, type Stage } from "../stage.ts"

interface Duel {
  scenario: string
  script: ScriptName
  chargers: number
  limit: "echo" | "acknowledge"
  store?: StoreName
  target: { ratio: number; words: string }
}

/** Between rounds a subject has been idle: so long until it runs as before, s. */
const RAMP_S = 0.2

/** Answering without a fact: 1,000 and 10,000 chargers. */
export async function heartbeat(stage: Stage): Promise<void> {
  const { quick, chargers } = stage.options
  const target = { ratio: 0.8, words: "≥ 0.80 of an echo" }
  for (const count of chargers === undefined ? (quick ? [1000] : [1000, 10_000]) : [chargers])
    await duel(stage, { scenario: "heartbeat", script: "heartbeat", chargers: count, limit: "echo", target })
}

/** Stored before the answer: ~800 bytes, five samples, within a running transaction. */
export async function meterValues(stage: Stage): Promise<void> {
  for (const store of stage.options.target ? (["sqlite"] as const) : stage.options.stores)
    await duel(stage, {
      scenario: store === "sqlite" ? "meter-values" : "meter-values-postgres",
      script: "meter-values",
      chargers: stage.options.chargers ?? 1000,
      limit: "acknowledge",
      store,
      target: { ratio: 0.4, words: "≥ 0.40 of acknowledging" },
    })
}

/** Authorize, StartTransaction, three MeterValues, StopTransaction. */
export async function transactions(stage: Stage): Promise<void> {
  await duel(stage, {
    scenario: "transactions",
    script: "transactions",
    chargers: stage.options.chargers ?? 1000,
    limit: "echo",
    target: { ratio: 0.25, words: "≥ 0.25 of an echo" },
  })
}

async function duel(stage: Stage, { scenario, script, chargers, limit, store, target }: Duel): Promise<void> {
  const { options, say } = stage
  await using open = new AsyncDisposableStack()
  const database = store === "postgres" ? open.use(await startPostgres(options.databaseUrl)) : undefined
  const environment = database ? onPostgres(database) : {}
  const node = open.use(await stage.node({ environment, watched: database?.watched ?? [] }))
  const subjects: Subject[] = [node, open.use(await startLimit(limit))]
  if (options.peers && store !== "postgres")
    for (const on of ["node", "bun"] as const) if (hasPeer(on)) subjects.push(open.use(await startPeer(on)))

  const enrolled = open.use(await stage.enrol(node, { chargers }))
  const { identities, idTags } = enrolled
  const loads: Load[] = []
  for (const subject of subjects) {
    const load = open.use(await Load.gather(subject, { identities, idTags, script }))
    say(`${scenario} ${chargers}: ${load.gathering.result.chargers} chargers at ${subject.name}, warming up`)
    await load.run({ warmupS: 0, seconds: options.warmupS })
    loads.push(load)
  }

  const rounds = new Map<Load, Round[]>(loads.map((load) => [load, []]))
  for (let number = 1; number <= options.rounds; number++) {
    // Each goes first in turn, so that what drifts does not always meet the same.
    for (const load of number % 2 === 1 ? loads : loads.toReversed()) {
      const round = roundOf(await load.run({ warmupS: RAMP_S, seconds: options.seconds }))
      rounds.get(load)?.push(round)
      say(
        `${scenario} ${chargers}: round ${number}/${options.rounds} ${load.subject.name.padEnd(16)} ${Math.round(round.perSecond)}/s, p99 ${round.p99Ms.toFixed(2)} ms`,
      )
    }
  }
  const rows = loads.map((load) =>
    rowOf({ scenario, subject: load.subject.name, chargers, unit: "messages" }, rounds.get(load) ?? [], load.faults),
  )
  const [ours, bare, ...peers] = rows
  if (!ours || !bare) throw new Error("nothing was measured")
  ours.notes.push(...peers.map((peer) => cheaper(ours, peer)))
  stage.results.push(resultOf(ours, bare, target))
  stage.limits.push(bare)
  stage.peers.push(...peers)
}

/** How many times less CPU a message costs us than a peer that stores nothing. */
function cheaper(ours: Row, peer: Row): string {
  const alone = (peer.cpuUs?.["server"]?.median ?? 0) / (ours.cpuUs?.["server"]?.median ?? Number.NaN)
  return `CPU per message: ${peer.subject} takes ${alone.toFixed(2)} times ours (${(cpuOf(peer) / cpuOf(ours)).toFixed(2)} with our Redis)`
}
