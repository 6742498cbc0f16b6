/** Who stops reading is told so and let go; nobody else notices. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { openGround } from "../support/cluster.ts"
import { graphqlOver } from "../support/graphql.ts"
import { startReluctantWire } from "../support/reluctant.ts"
import { startServerProcess } from "../support/server-process.ts"
import { Audience, compare, complete, Journal, Listener } from "../support/story.ts"
import { TRANSPORTS } from "../support/subscribers.ts"
import { Traffic } from "../support/traffic.ts"
import { until } from "../support/until.ts"

setDefaultTimeout(120_000)

/** With a long identity each change weighs some 10 kB, so that what networks and kernels hold is soon full. */
const WIDE = `chargePoint { ${Array.from({ length: 40 }, (_, index) => `a${index}: identity`).join(" ")} }`
const PREFIX = `${"L".repeat(240)}-LAGGING-`

test("a subscriber that stops reading ends as LAGGING and can go on from there, the others miss nothing", async () => {
  await using ground = await openGround()
  const { environment } = ground
  const token = environment["ADMIN_TOKEN"] ?? ""
  await using node = await startServerProcess(environment)
  await using wire = await startReluctantWire(Number(new URL(node.graphqlUrl).port))
  await using journal = new Journal(environment["DATABASE_URL"] ?? "")
  await using traffic = new Traffic({ places: () => [node], chargers: 20, prefix: PREFIX, seed: 1, token })
  await traffic.enrol(graphqlOver(node.graphqlUrl, token))
  await journal.begin()

  using others = Audience.ofAll(token)
  for (const { subscriber } of others.listeners) await subscriber.begin(node.graphqlUrl)
  using reluctant = new Audience(
    TRANSPORTS.map((transport) => new Listener("ChargePoint", { transport, token, more: WIDE })),
  )
  for (const { subscriber } of reluctant.listeners)
    await subscriber.begin(`http://127.0.0.1:${String(wire.port)}/graphql`)

  await traffic.run(1)
  wire.stopReading()
  await traffic.report(100)
  for (const listener of others.listeners) expect(await complete(listener, journal)).toEqual([])
  expect(others.endings).toEqual([])

  wire.readOn()
  for (const listener of reluctant.listeners) {
    const { subscriber, name } = listener
    expect(await until(`${name} is let go`, () => subscriber.endings[0])).toBe("LAGGING")
    const { faults, missing } = compare(await journal.read("ChargePoint"), listener.told)
    expect(faults).toEqual([])
    expect(missing).toBeGreaterThan(0)
    subscriber.resume(node.graphqlUrl)
    expect(await complete(listener, journal)).toEqual([])
  }
})
