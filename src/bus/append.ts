/** The one script by which events enter the stream: each subject's in the order of their versions, once, without a gap. */
import type { Event } from "../facts/events.ts"
import { Script } from "../redis/script.ts"
import { writeHead } from "./entry.ts"
import { BEGAN_FIELD } from "./generation.ts"
import { GENERATION_KEY, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"

const APPEND = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], '${BEGAN_FIELD}') == 0 then return {} end
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
if not newest then return {} end
local id, last, accepted, changed, refused = newest[1], {}, {}, {}, {}
for i = 3, #ARGV, 4 do
  local subject, version = ARGV[i], tonumber(ARGV[i + 1])
  local seen = last[subject]
  if seen == nil then
    seen = tonumber(redis.call('HGET', KEYS[2], subject) or 0)
    last[subject] = seen
  end
  if version == seen + 1 then
    accepted[#accepted + 1] = ARGV[i + 2]
    accepted[#accepted + 1] = ARGV[i + 3]
    last[subject], changed[subject] = version, true
  elseif version > seen then
    refused[subject] = true
  end
end
if #accepted > 0 then
  id = redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', unpack(accepted))
  for subject in pairs(changed) do redis.call('HSET', KEYS[2], subject, string.format('%.0f', last[subject])) end
end
local reply = {id}
for subject in pairs(refused) do
  reply[#reply + 1] = subject
  reply[#reply + 1] = string.format('%.0f', last[subject])
end
return reply
`)

/**
 * Appends what continues its subject's story, skips what is told already, and refuses what has a predecessor missing.
 * Gives the last entry's id, then the refused subjects, each followed by the version it has come to; nothing where Redis
 * does not tell this generation. @throws BusUnavailable
 */
export async function append(
  link: Link,
  generation: string,
  maxEntries: number,
  events: readonly Event[],
): Promise<string[]> {
  const args = events.flatMap((event) => [
    event.subject,
    String(event.version),
    writeHead(event),
    JSON.stringify(event),
  ])
  const keys = [GENERATION_KEY, versionsKey(generation), streamKey(generation)]
  const reply = await link.ask((client) => APPEND.run(client, keys, [generation, String(maxEntries), ...args]))
  return reply as string[]
}
