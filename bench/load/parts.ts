/** What a command's way is made of, each part measured alone and one at a time: the sum is what a command costs at least. */
import { Database } from "bun:sqlite"
import { join } from "node:path"
import { SQL } from "bun"
import { createClient } from "redis"
import { Fleet } from "./fleet.ts"
import { type Counts, Histogram } from "./histogram.ts"
import { scratchFolder } from "./scratch.ts"
import { timeEach } from "./time-each.ts"

export interface PartsPlan {
  seconds: number
  /** Of the limit, http. */
  limitUrl: string
  redisUrl: string
  /** Left out: SQLite, in a folder where the nodes of a run keep theirs. */
  postgresUrl?: string
}

/** ms, at the median. */
export interface Parts {
  mutationMs: number
  redisMs: number
  socketMs: number
  commitMs: number
}

/** Measures one after the other. */
export async function measureParts({ seconds, limitUrl, redisUrl, postgresUrl }: PartsPlan): Promise<Parts> {
  return {
    mutationMs: await mutation(`${limitUrl}/graphql`, seconds),
    redisMs: await redisRoundTrip(redisUrl, seconds),
    socketMs: await socketRoundTrip(limitUrl, seconds),
    commitMs: await (postgresUrl === undefined ? sqliteCommit(seconds) : postgresCommit(postgresUrl, seconds)),
  }
}

const medianOf = (counts: Counts): number => Histogram.of(counts).quantile(0.5)

async function mutation(url: string, seconds: number): Promise<number> {
  const body = JSON.stringify({ query: 'mutation { nothing(input: "x") }' })
  const headers = { "content-type": "application/json", accept: "application/json" }
  return medianOf(await timeEach(seconds, async () => (await fetch(url, { method: "POST", headers, body })).text()))
}

/** A message to a channel, and the answer on another. */
async function redisRoundTrip(url: string, seconds: number): Promise<number> {
  const clients = Array.from({ length: 4 }, () => createClient({ url }))
  const [asker, hearer, answerer, listener] = clients
  if (!asker || !hearer || !answerer || !listener) return 0
  try {
    await Promise.all(clients.map((client) => client.connect()))
    let heard: () => void = () => undefined
    await listener.subscribe("question", () => void answerer.publish("answer", "x"))
    await hearer.subscribe("answer", () => heard())
    const ask = async () => {
      const answer = new Promise<void>((resolve) => {
        heard = resolve
      })
      await asker.publish("question", "x")
      await answer
    }
    return medianOf(await timeEach(seconds, ask))
  } finally {
    for (const client of clients) client.destroy()
  }
}

/** One charger against the echo. */
async function socketRoundTrip(limitUrl: string, seconds: number): Promise<number> {
  const url = `${limitUrl.replace(/^http/, "ws")}/echo`
  const fleet = new Fleet({ url, dialect: "echo", identities: ["ONE"], idTags: ["TAG"], script: "heartbeat" })
  try {
    await fleet.gather()
    return medianOf((await fleet.run({ warmupS: 0.1, seconds })).latencies)
  } finally {
    fleet.dismiss()
  }
}

const PAYLOAD = "x".repeat(400)

async function sqliteCommit(seconds: number): Promise<number> {
  await using folder = await scratchFolder("commit")
  using database = new Database(join(folder.path, "commit.db"), { create: true })
  database.run("PRAGMA journal_mode = WAL")
  database.run("PRAGMA synchronous = FULL")
  database.run("CREATE TABLE lines (id INTEGER PRIMARY KEY, body TEXT) STRICT")
  const insert = database.prepare("INSERT INTO lines (body) VALUES (?)")
  return medianOf(await timeEach(seconds, () => insert.run(PAYLOAD)))
}

async function postgresCommit(url: string, seconds: number): Promise<number> {
  await using sql = new SQL(url, { max: 1 })
  await sql`CREATE TABLE IF NOT EXISTS bench_lines (id bigserial PRIMARY KEY, body text)`
  try {
    return medianOf(await timeEach(seconds, () => sql`INSERT INTO bench_lines (body) VALUES (${PAYLOAD})`))
  } finally {
    await sql`DROP TABLE bench_lines`
  }
}
