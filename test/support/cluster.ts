/** What the nodes of a cluster share: a PostgreSQL database and a Redis server, both real. */
import { freshDatabase } from "./postgres.ts"
import { type RedisServer, startRedis } from "./redis.ts"

export interface Ground extends AsyncDisposable {
  readonly redis: RedisServer
  /** What every node of the cluster is started with. */
  readonly environment: Record<string, string>
}

/** An empty database and an empty Redis; `databaseUrl` is another PostgreSQL's than the one all tests share. */
export async function openGround(databaseUrl?: string): Promise<Ground> {
  const [redis, url] = await Promise.all([startRedis(), databaseUrl ?? freshDatabase()])
  return {
    redis,
    environment: {
      DATABASE_URL: url,
      REDIS_URL: redis.url,
      SECRET_KEY: "a key that all nodes share",
      ADMIN_TOKEN: "the-token-of-every-test-node",
    },
    [Symbol.asyncDispose]: () => redis.stop(),
  }
}
