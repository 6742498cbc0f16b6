/** From a charger's frame to the screen that follows it: 1,000 of each, at half of what the fleet can have stored. */
import { spread } from "../histogram.ts"
import { type Round, roundOf, rowOf } from "../record.ts"
import { Load, type Stage } from "../stage.ts"

const CHARGERS = 1000
const MAY_TAKE_MS = 50

export async function chargerToSubscriber(stage: Stage): Promise<void> {
  const { options, say } = stage
  const chargers = options.chargers ?? CHARGERS
  await using open = new AsyncDisposableStack()
  const node = open.use(await stage.node())
  const { identities, idTags } = open.use(await stage.enrol(node, { chargers }))
  const load = open.use(await Load.gather(node, { identities, idTags, script: "meter-values" }))
  const { warmupS, seconds } = options
  const plan = { graphqlUrl: node.graphqlUrl, token: node.token, identities }
  await load.driver.ask("gatherFollowers", { fleet: "fleet", plan })
  // What half load is half of includes the telling.
  const carried = roundOf(await load.run({ warmupS, seconds })).perSecond
  const ratePerSecond = carried / 2
  const rounds: Round[] = []
  for (let number = 1; number <= options.rounds; number++) {
    const watch = load.subject.watched()
    const measured = await load.driver.ask("follow", {
      fleet: "fleet",
      plan: { seconds, ratePerSecond },
      watch,
    })
    load.faults = measured.faults
    const round = roundOf(measured)
    rounds.push(round)
    say(
      `charger-to-subscriber: round ${number}/${options.rounds} at ${Math.round(ratePerSecond)}/s, p99 ${round.p99Ms.toFixed(1)} ms`,
    )
  }
  const row = rowOf(
    { scenario: "charger-to-subscriber", subject: node.name, chargers, unit: "readings" },
    rounds,
    load.faults,
    [`from when the frame was due to the subscriber; half of ${Math.round(carried)}/s`],
  )
  const ratios = spread(rounds.map(({ p99Ms }) => MAY_TAKE_MS / p99Ms))
  const targetInWords = `p99 < ${MAY_TAKE_MS} ms at half load`
  stage.results.push({ ...row, ratio: ratios.median, ratios, target: 1, targetInWords })
}
