/** Everybody at once, as after a power cut: connections with passwords, BootNotification and StatusNotifications. */
import { ask } from "../enrol.ts"
import { Histogram } from "../histogram.ts"
import { resultOf, type Round, roundOf, rowOf } from "../record.ts"
import { type Node, startLimit } from "../servers.ts"
import { Load, type Stage } from "../stage.ts"
import { pause } from "../stopping.ts"

const CHARGERS = 10_000
/** How many are dialling at the same time: what a listener's queue holds. */
const AT_ONCE = 1000
/** 20 bytes, as an AuthorizationKey has. */
const PASSWORD = "00112233445566778899aabbccddeeff00112233"
const QUIET_LIMIT_MS = 60_000
const SAMPLE = 200
const ONLINE = `query ($identities: [String!]) {
  chargePoints(first: 1, filter: { identities: $identities, online: true }) { edges { node { identity } } }
}`

/** Until the last charger is accepted and has told its states. OCPP 1.6 §4.2, OCPP-J §6.2. */
export async function connectStorm(stage: Stage): Promise<void> {
  const { options, say } = stage
  const chargers = options.chargers ?? CHARGERS
  await using open = new AsyncDisposableStack()
  const node = open.use(await stage.node())
  const limit = open.use(await startLimit("acknowledge"))
  const { identities, idTags } = open.use(await stage.enrol(node, { chargers, password: PASSWORD }))
  const subjects = [node, limit]
  const rounds = subjects.map((): Round[] => [])
  const faults = subjects.map(() => ({ counts: {}, examples: {} }))
  for (let number = 1; number <= options.rounds; number++) {
    for (const [index, subject] of subjects.entries()) {
      await using load = await Load.gather(subject, {
        ...{ identities, idTags, script: "heartbeat", password: PASSWORD, atOnce: AT_ONCE },
      })
      const { result, usage } = load.gathering
      const round = roundOf({
        ...load.gathering,
        result: { seconds: result.ms / 1000, answered: result.chargers, latencies: result.firstAnswer },
      })
      rounds[index]?.push({ ...round, generator: usage.generator })
      faults[index] = load.faults
      const p99 = Histogram.of(result.firstAnswer).quantile(0.99)
      say(
        `connect-storm: round ${number}/${options.rounds} ${subject.name.padEnd(8)} ${result.chargers} of ${chargers} in ${Math.round(result.ms)} ms, first answer p99 ${Math.round(p99)} ms`,
      )
    }
    await untilGone(node, identities)
  }
  const rows = subjects.map(({ name }, index) =>
    rowOf(
      { scenario: "connect-storm", subject: name, chargers, unit: "chargers" },
      rounds[index] ?? [],
      faults[index] ?? { counts: {}, examples: {} },
      ["latency is that of the first answer, from dialling on"],
    ),
  )
  const [ours, bare] = rows
  if (!ours || !bare) throw new Error("nothing was measured")
  stage.results.push(resultOf(ours, bare, { ratio: 0.5, words: "≤ 2 times a bare server's time" }))
  stage.limits.push(bare)
}

/** Until the node knows that the last storm is gone, as far as a sample shows. */
async function untilGone(node: Node, identities: readonly string[]): Promise<void> {
  const sample = [...identities.slice(0, SAMPLE), ...identities.slice(-SAMPLE)]
  const deadline = performance.now() + QUIET_LIMIT_MS
  while (performance.now() < deadline) {
    const { chargePoints } = await ask<{ chargePoints: { edges: unknown[] } }>(node, ONLINE, { identities: sample })
    if (chargePoints.edges.length === 0) return
    await pause(100)
  }
}
