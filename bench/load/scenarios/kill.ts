/** kill -9 under load, a new start on what was left behind, and an audit: what was acknowledged is there, once. */
import { audit, type Audited } from "../audit.ts"
import type { Crew } from "../charger.ts"
import { Faults } from "../faults.ts"
import { Diarist } from "../diarist.ts"
import { startNode } from "../servers.ts"
import type { Stage } from "../stage.ts"
import { pause } from "../stopping.ts"

const CHARGERS = 100
const KILLS = 3
/** Of load before each kill, at most. */
const LOAD_S = 2
const PATIENCE_MS = 30_000

export async function kill(stage: Stage): Promise<void> {
  const { options, say } = stage
  if (options.target) throw new Error("kill ends a node that the run has started")
  await using open = new AsyncDisposableStack()
  const node = open.use(await startNode())
  const { identities, idTags } = open.use(await stage.enrol(node, { chargers: options.chargers ?? CHARGERS }))
  const faults = new Faults()
  const crew: Crew = { url: node.ocppUrl, dialect: "ocpp", faults, ended: () => undefined }
  const diarists = identities.map((identity, index) => new Diarist(crew, identity, index, idTags[0] ?? ""))
  const sweep = setInterval(() => {
    for (const diarist of diarists) diarist.giveUp(performance.now() - PATIENCE_MS)
  }, 1000)
  open.defer(() => {
    clearInterval(sweep)
    for (const diarist of diarists) diarist.leave()
  })
  const working = Promise.all(diarists.map((diarist) => diarist.work()))
  working.catch(() => undefined) // looked at below, whenever it comes
  for (let number = 1; number <= Math.min(KILLS, options.rounds); number++) {
    await pause(Math.min(LOAD_S, options.seconds) * 1000)
    for (const diarist of diarists) diarist.expectLoss(true)
    await node.kill()
    const acknowledged = diarists.reduce((sum, diarist) => sum + diarist.acknowledged, 0)
    say(
      `kill: ${number}/${Math.min(KILLS, options.rounds)} after ${acknowledged} acknowledged messages; starting again`,
    )
    await node.restart()
    // What comes from here on comes over new connections.
    const back = diarists.map((diarist) => diarist.nextAcknowledgement())
    crew.url = node.ocppUrl
    await Promise.race([Promise.all(back), working])
    for (const diarist of diarists) diarist.expectLoss(false)
  }
  await pause(Math.min(LOAD_S, options.seconds) * 1000)
  for (const diarist of diarists) diarist.finish()
  await working
  say(`kill: auditing ${diarists.reduce((sum, { diary }) => sum + diary.length, 0)} transactions`)
  const found = await audit(node, diarists)
  const acknowledged = diarists.reduce((sum, diarist) => sum + diarist.acknowledged, 0)
  stage.checks.push({
    name: "kill",
    passed: found.lost === 0 && found.doubled === 0 && faults.total === 0 && acknowledged > 0,
    words: inWords(found, acknowledged, faults),
  })
}

const inWords = ({ lost, doubled, transactions, example }: Audited, acknowledged: number, faults: Faults): string =>
  [
    `${lost} acknowledged lost, ${doubled} doubled, of ${acknowledged} messages in ${transactions} transactions`,
    ...(example === undefined ? [] : [example]),
    ...(faults.total === 0 ? [] : [`faults ${JSON.stringify(faults.record())}`]),
  ].join("; ")
