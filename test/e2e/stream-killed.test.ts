/** A node that dies between commit and publication takes nothing of the story along: another one tells it. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { openGround } from "../support/cluster.ts"
import { graphqlOver } from "../support/graphql.ts"
import { startProxy } from "../support/proxy.ts"
import { startServerProcess } from "../support/server-process.ts"
import { Audience, complete, Journal } from "../support/story.ts"
import { Traffic } from "../support/traffic.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(120_000)

const CHARGERS = 6
/** How many sessions each charge point has acknowledged while its node cannot publish. */
const SESSIONS_UNTOLD = 2

// A node reaches Redis over a wire that the test holds: commits and answers go on, publication hangs. Held on the way
// to Redis, nothing is published; held on the way back, some is, and the node that did it never learns.
test("what a killed node committed and did not publish is told by another, every event exactly once and in order", async () => {
  await using ground = await openGround()
  const { environment } = ground
  const token = environment["ADMIN_TOKEN"] ?? ""
  const redisPort = Number(new URL(ground.redis.url).port)
  await using left = await startServerProcess(environment)
  await using journal = new Journal(environment["DATABASE_URL"] ?? "")
  const ask = graphqlOver(left.graphqlUrl, token)

  await using toRedis = await startProxy(redisPort)
  await using fromRedis = await startProxy(redisPort)
  const over = (port: number) => ({ ...environment, REDIS_URL: `redis://127.0.0.1:${port}`, LOG_LEVEL: "fatal" })
  await using mute = await startServerProcess(over(toRedis.port))
  await using deaf = await startServerProcess(over(fromRedis.port))
  const trafficAt = (place: typeof mute, prefix: string, seed: number) =>
    new Traffic({ places: () => [place], chargers: CHARGERS, prefix, seed, token })
  // Some charge points are at work when their node dies; of the others, which have left before, nothing is ever told
  // later that would show the gap.
  await using mutedAtWork = trafficAt(mute, "MUTE-AT-WORK-", 1)
  await using mutedAndLeft = trafficAt(mute, "MUTE-AND-LEFT-", 2)
  await using deafAtWork = trafficAt(deaf, "DEAF-AT-WORK-", 3)
  await using deafAndLeft = trafficAt(deaf, "DEAF-AND-LEFT-", 4)
  const gone = [mutedAndLeft, deafAndLeft]
  const atWork = [mutedAtWork, deafAtWork]
  const all = [...atWork, ...gone]
  for (const traffic of all) await traffic.enrol(ask)
  await journal.begin()

  using audience = Audience.ofAll(token)
  const { listeners } = audience
  for (const { subscriber } of listeners) await subscriber.begin(left.graphqlUrl)

  const working = atWork.map((traffic) => traffic.start())
  const leaving = gone.map((traffic) => traffic.start())
  await until("all are at work", () => all.every(({ acknowledged }) => acknowledged > 10 * CHARGERS))
  toRedis.pause("up")
  fromRedis.pause("down")
  const byTheMute = acknowledgedSince(mutedAtWork, mutedAndLeft)
  const byTheDeaf = acknowledgedSince(deafAtWork, deafAndLeft)
  const enough = all.flatMap(({ chargers }) => chargers.map(({ stopped }) => stopped.length + SESSIONS_UNTOLD))
  await until("every charge point has its answers", () =>
    all.flatMap(({ chargers }) => chargers).every(({ stopped }, index) => stopped.length >= (enough[index] ?? 0)),
  )
  await Promise.all(leaving.map((traffic) => traffic.stop()))
  for (const { chargers } of gone) for (const charger of chargers) await charger.close()
  await until("their leaving is committed", async () => {
    const { due } = await journal.read("ChargePoint")
    return gone.every(({ chargers }) =>
      chargers.every(({ identity }) => due.get(identity)?.at(-1)?.includes(" OFFLINE ")),
    )
  })
  const [chargePoints] = listeners
  const isTold = (info: string) => chargePoints?.told.some((text) => text.endsWith(` ${info}`)) ?? false
  const untold = byTheMute().filter((info) => !isTold(info))
  await mute.kill()
  toRedis.cut()
  expect(untold.length).toBeGreaterThan(0)
  await until("something is told that the deaf node does not know to be told", () => byTheDeaf().some(isTold))
  await deaf.kill()
  fromRedis.cut()
  await Promise.all(working.map((traffic) => traffic.stop()))

  for (const listener of listeners) expect(await complete(listener, journal)).toEqual([])
  const infos = chargePoints?.told.map((text) => / 1 (.+)$/.exec(text)?.[1] ?? "")
  for (const { name, statuses } of all.flatMap(({ chargers }) => chargers))
    // The last report may have been committed and not answered.
    expect(infos?.filter((info) => info.startsWith(`${name} `)).slice(0, statuses.length)).toEqual(statuses)
  expect(audience.endings).toEqual([])
})

/** The reports that these charge points have acknowledged after the next one of each, which may be on its way by now. */
function acknowledgedSince(...traffics: readonly Traffic[]): () => string[] {
  const chargers = traffics.flatMap((traffic) => traffic.chargers)
  const from = chargers.map(({ statuses }) => statuses.length + 1)
  return () => chargers.flatMap(({ statuses }, index) => statuses.slice(from[index]))
}
