/** Subscribers that are cut off again and again, and go on elsewhere, see every event exactly once and in order. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { pick, type Random, seeded } from "../../bench/random.ts"
import { openGround } from "../support/cluster.ts"
import { graphqlOver } from "../support/graphql.ts"
import { startServerProcess } from "../support/server-process.ts"
import { Audience, complete, Journal, Listener, STORIES } from "../support/story.ts"
import { TRANSPORTS } from "../support/subscribers.ts"
import { type Place, Traffic } from "../support/traffic.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(120_000)

/** Another seed plays another run. */
const SEED = Number(process.env["STREAM_SEED"] ?? 1)
/** How often each charge point charges; more for the long form. */
const SESSIONS = Number(process.env["STREAM_SESSIONS"] ?? 5)
const CHARGERS = 50

/** Falls off the line at random moments, stays away for a while, and goes on at a node drawn by lot. */
async function stumble(listener: Listener, traffic: Traffic, places: readonly [Place, ...Place[]], random: Random) {
  const { subscriber } = listener
  let falls = 0
  while (!traffic.isOver) {
    const seen = subscriber.seen.length + Math.floor(random() * 80)
    await until("it has seen some more", () => traffic.isOver || subscriber.seen.length > seen, 60_000)
    if (!traffic.isOver) falls++
    subscriber.cut()
    // Mostly for a moment; now and then long enough to have missed many pages of the story.
    const acknowledged = traffic.acknowledged + Math.floor(random() ** 6 * 1500)
    await until("the world went on", () => traffic.isOver || traffic.acknowledged > acknowledged, 60_000)
    subscriber.resume(pick(random, places).graphqlUrl)
  }
  return falls
}

test(`cut off at random moments, resumed on another node: every event exactly once and in order (seed ${SEED})`, async () => {
  await using ground = await openGround()
  const { environment } = ground
  const token = environment["ADMIN_TOKEN"] ?? ""
  await using a = await startServerProcess(environment)
  await using b = await startServerProcess(environment)
  await using c = await startServerProcess(environment)
  const places: [Place, ...Place[]] = [a, b, c]
  await using journal = new Journal(environment["DATABASE_URL"] ?? "")
  await using traffic = new Traffic({
    places: () => places,
    ...{ chargers: CHARGERS, prefix: "RESUME-", seed: SEED, token, hops: 0.25, commands: 0.5 },
  })
  await traffic.enrol(graphqlOver(a.graphqlUrl, token))
  await journal.begin()

  using audience = new Audience(
    STORIES.flatMap((type) =>
      TRANSPORTS.flatMap((transport) => [
        new Listener(type, { transport, token }),
        new Listener(type, { transport, token, identity: `RESUME-${STORIES.indexOf(type)}` }),
      ]),
    ),
  )
  const { listeners } = audience
  const random = seeded(SEED)
  for (const { subscriber } of listeners) await subscriber.begin(pick(random, places).graphqlUrl)

  const stumbling = listeners.map((listener, index) => stumble(listener, traffic, places, seeded(SEED * 31 + index)))
  await traffic.run(SESSIONS)
  const falls = await Promise.all(stumbling)
  expect(falls.reduce((sum, count) => sum + count)).toBeGreaterThan(listeners.length)

  for (const listener of listeners) expect(await complete(listener, journal)).toEqual([])
  expect(listeners.flatMap(({ name, subscriber }) => subscriber.endings.map((ending) => `${name}: ${ending}`))).toEqual(
    [],
  )

  // The journal is one witness; what each charge point was answered is another.
  const [chargePoints, transactions, readings, commands] = STORIES.map(
    (type) => listeners.find((listener) => listener.type === type && listener.identity === undefined)?.told ?? [],
  )
  const infos = chargePoints?.map((text) => / 1 (.+)$/.exec(text)?.[1] ?? "")
  for (const { name, ...acknowledged } of traffic.chargers) {
    expect(infos?.filter((info) => info.startsWith(`${name} `))).toEqual(acknowledged.statuses)
    for (const id of acknowledged.started) expect(transactions).toContain(`${id} STARTED ACTIVE null`)
    for (const timestamp of acknowledged.readings) expect(readings).toContain(`1 ${timestamp}`)
    for (const key of acknowledged.commands) expect(commands).toContain(`${key} ANSWERED`)
  }
})
