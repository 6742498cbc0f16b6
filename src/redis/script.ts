/** A Lua script that Redis runs in one step, sent once and called by its hash from then on. */
import { createHash } from "node:crypto"
import type { RedisClient } from "./redis.ts"

export class Script {
  readonly #lua: string
  readonly #sha: string

  constructor(lua: string) {
    this.#lua = lua
    this.#sha = createHash("sha1").update(lua).digest("hex")
  }

  /** What the script returned. Numbers too large for a C integer have to be returned as text. */
  async run(client: RedisClient, keys: string[], args: string[]): Promise<unknown> {
    try {
      return await client.evalSha(this.#sha, { keys, arguments: args })
    } catch (cause) {
      // A restarted server has forgotten its scripts.
      if (!(cause instanceof Error && cause.message.startsWith("NOSCRIPT"))) throw cause
      return await client.eval(this.#lua, { keys, arguments: args })
    }
  }
}
