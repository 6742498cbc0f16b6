/** One change told to a thousand identical subscribers. */
import type { Transport } from "../audience.ts"
import { type Round, resultOf, roundOf, rowOf } from "../record.ts"
import { startLimit, type Subject } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"

const SUBSCRIBERS = 1000
/** Changes that may be under way at once. */
const TRIGGERS = 8
const AUDIENCE = "audience"

interface Party {
  scenario: string
  subject: Subject
  transport: Transport
  /** Where subscribers connect. */
  url: string
  token: string
}

/** Over graphql-transport-ws and server-sent events, beside `server.publish` of a ready string. */
export async function fanOut(stage: Stage): Promise<void> {
  const { options, say } = stage
  const subscribers = options.chargers ?? SUBSCRIBERS
  await using open = new AsyncDisposableStack()
  const node = open.use(await stage.node())
  const limit = open.use(await startLimit("publish"))
  const api = { subject: node, token: node.token }
  const parties: Party[] = [
    { ...api, scenario: "fan-out", transport: "graphql-transport-ws", url: node.graphqlUrl.replace(/^http/, "ws") },
    {
      scenario: "fan-out",
      subject: limit,
      transport: "topic",
      url: `${limit.url.replace(/^http/, "ws")}/topic`,
      token: "",
    },
    ...(options.quick
      ? []
      : [{ ...api, scenario: "fan-out-sse", transport: "sse" as const, url: node.graphqlUrl.replace(/^ws/, "http") }]),
  ]
  const enrolled = open.use(await stage.enrol(node, { chargers: TRIGGERS * parties.length, idTags: 1 }))
  const { identities, idTags } = enrolled
  const loads: Load[] = []
  for (const [index, { subject, transport, url, token }] of parties.entries()) {
    const followed = identities.slice(index * TRIGGERS, (index + 1) * TRIGGERS)
    const load = open.use(await Load.gather(subject, { identities: followed, idTags, script: "heartbeat" }))
    const plan = { transport, url, token, subscribers, followed }
    await load.driver.ask("gatherAudience", { name: AUDIENCE, fleet: "fleet", plan })
    say(`fan-out: ${subscribers} subscribers over ${transport}, warming up`)
    await perform(load, { warmupS: 0, seconds: options.warmupS })
    loads.push(load)
  }
  const rounds = parties.map((): Round[] => [])
  const told = parties.map(() => 0)
  for (let number = 1; number <= options.rounds; number++) {
    for (const [index, load] of loads.entries()) {
      const measured = await perform(load, { warmupS: 0.3, seconds: options.seconds })
      const round = roundOf(measured)
      rounds[index]?.push(round)
      told[index] = measured.bytes
      say(
        `fan-out: round ${number}/${options.rounds} ${load.subject.name} over ${parties[index]?.transport} ${Math.round(round.perSecond)} deliveries/s, p99 ${round.p99Ms.toFixed(1)} ms`,
      )
    }
  }
  const rows = parties.map(({ scenario, subject, transport }, index) =>
    rowOf(
      { scenario, subject: subject.name, chargers: subscribers, unit: "deliveries" },
      rounds[index] ?? [],
      loads[index]?.faults ?? { counts: {}, examples: {} },
      [`${transport}, up to ${told[index]} bytes each, ${TRIGGERS} changes under way`],
    ),
  )
  const [overSocket, bare, overEvents] = rows
  if (!overSocket || !bare) throw new Error("nothing was measured")
  const target = { ratio: 0.35, words: "≥ 0.35 of publishing a ready string" }
  for (const row of [overSocket, overEvents]) if (row) stage.results.push(resultOf(row, bare, target))
  stage.limits.push(bare)
}

async function perform(load: Load, plan: { warmupS: number; seconds: number }) {
  const watch = load.subject.watched()
  const { result, usage, faults } = await load.driver.ask("fanOut", { name: AUDIENCE, fleet: "fleet", plan, watch })
  load.faults = faults
  const { seconds, deliveries: answered, latencies, bytes } = result
  return { result: { seconds, answered, latencies }, usage, faults, bytes }
}
