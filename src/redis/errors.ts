/** Why there is no Redis to work with; each message is for the operator who started the node. */

/** No REDIS_URL, and no server program that could be started. */
export class RedisMissing extends Error {
  override readonly name = "RedisMissing"
  constructor() {
    super("no REDIS_URL and no redis-server on PATH: apt-get install -y redis-server")
  }
}

/** A server already answers on the socket of this data folder. */
export class RedisInUse extends Error {
  override readonly name = "RedisInUse"
  constructor(socketPath: string) {
    super(`another node runs on this DATA_DIR: its redis-server answers on ${socketPath}`)
  }
}

/** The server is there but does not start, cannot be reached, or lets nobody in. */
export class RedisUnreachable extends Error {
  override readonly name = "RedisUnreachable"
}

/** The server is older than what Busbar asks of it. */
export class RedisTooOld extends Error {
  override readonly name = "RedisTooOld"
  constructor(version: string) {
    super(`Redis ${version} is too old: Busbar needs 6.2 or newer`)
  }
}
