import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { SQL } from "bun"
import { createClient } from "redis"
import { freshDatabase, startPostgres } from "./postgres.ts"
import { startRedis } from "./redis.ts"

async function lastWrittenTo(url: string): Promise<string | null> {
  const client = await createClient({ url, RESP: 3 })
    .on("error", () => undefined)
    .connect()
  const value = await client.get("said")
  client.destroy()
  return value
}

test("what Redis acknowledged survives its crash", async () => {
  await using redis = await startRedis()
  const client = await createClient({ url: redis.url })
    .on("error", () => undefined)
    .connect()
  await client.set("said", "stored")
  client.destroy()
  await redis.kill()
  await redis.restart()
  expect(await lastWrittenTo(redis.url)).toBe("stored")
})

test("what PostgreSQL committed survives its crash", async () => {
  await using postgres = await startPostgres()
  {
    await using sql = new SQL(postgres.url, { max: 1 })
    await sql`CREATE TABLE said (word text)`
    await sql`INSERT INTO said VALUES ('stored')`
  }
  await postgres.kill()
  await postgres.restart()
  await using sql = new SQL(postgres.url, { max: 1 })
  expect([...(await sql`SELECT word FROM said`)]).toEqual([{ word: "stored" }])
})

test("every fresh database is empty and its own", async () => {
  await using first = new SQL(await freshDatabase(), { max: 1 })
  await using second = new SQL(await freshDatabase(), { max: 1 })
  await first`CREATE TABLE mine (id int)`
  const tables = await second`SELECT * FROM pg_tables WHERE schemaname = 'public'`
  expect([...tables]).toEqual([])
})

test("a server and its folder are gone when the process that started it was killed", async () => {
  const program = `
    import { startRedis } from "./redis.ts"
    console.log((await startRedis()).url)
    await new Promise(() => setInterval(() => undefined, 1000))`
  const owner = Bun.spawn([process.execPath, "-e", program], {
    cwd: import.meta.dir,
    stdio: ["ignore", "pipe", "inherit"],
  })
  const { value } = await owner.stdout.pipeThrough(new TextDecoderStream()).getReader().read()
  const client = await createClient({ url: value?.trim() ?? "" })
    .on("error", () => undefined)
    .connect()
  const folder = (await client.configGet("dir"))["dir"] ?? ""
  expect(existsSync(folder)).toBe(true)

  const gone = Promise.withResolvers<void>()
  client.once("reconnecting", () => gone.resolve())
  owner.kill("SIGKILL")
  await gone.promise
  client.destroy()
  while (existsSync(folder)) await Bun.sleep(5)
})
