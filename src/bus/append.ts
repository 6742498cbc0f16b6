/** The one script by which events enter the stream: each subject's in the order of their versions, once, without a gap. */
import { type RecordedEvent, writeHeads, writeTexts } from "../facts/recorded.ts"
import { Script } from "../redis/script.ts"
import { HEADS_FIELD, TEXTS_FIELD } from "./entry.ts"
import { BEGAN_FIELD } from "./generation.ts"
import { GENERATION_KEY, sizesKeys, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"

/** The most events of one entry: Lua takes only so many values at a time. */
export const MAX_EVENTS_PER_ENTRY = 1_000

const APPEND = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], '${BEGAN_FIELD}') == 0
  or redis.call('EXISTS', KEYS[3]) == 0 then return {} end
local subjects, first, last, broken, count = {}, {}, {}, {}, 0
for _, head in ipairs(cjson.decode(ARGV[3])) do
  count = count + 1
  local subject, version = head[3], head[4]
  if not last[subject] then
    subjects[#subjects + 1], first[subject] = subject, version
  elseif version ~= last[subject] + 1 then
    broken[subject] = true
  end
  last[subject] = version
end
local seen, unfit, moved = redis.call('HMGET', KEYS[2], unpack(subjects)), {}, {}
for i, subject in ipairs(subjects) do
  local version = tonumber(seen[i] or 0)
  if broken[subject] or first[subject] ~= version + 1 then
    unfit[#unfit + 1] = subject
    unfit[#unfit + 1] = string.format('%.0f', version)
  end
  moved[#moved + 1] = subject
  moved[#moved + 1] = string.format('%.0f', last[subject])
end
if #unfit > 0 then return {redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1][1], unpack(unfit)} end
local id = redis.call('XADD', KEYS[3], '*', '${HEADS_FIELD}', ARGV[3], '${TEXTS_FIELD}', ARGV[4])
redis.call('HSET', KEYS[2], unpack(moved))
local kept, entries = redis.call('INCRBY', KEYS[4], count), redis.call('RPUSH', KEYS[5], count)
local before = entries
while kept > tonumber(ARGV[2]) and entries > 1 do
  kept, entries = kept - redis.call('LPOP', KEYS[5]), entries - 1
end
if entries < before then
  redis.call('SET', KEYS[4], kept)
  redis.call('XTRIM', KEYS[3], 'MAXLEN', entries)
end
return {id}
`)

/**
 * Appends events, at most MAX_EVENTS_PER_ENTRY, as one entry: all of them, or none where one does not continue its
 * subject's story. Of what is older than the newest `maxEvents` events, whole entries are cut off. Gives the last entry's
 * id, then the subjects that do not fit, each followed by the version that it has come to; nothing where Redis does not
 * tell this generation. @throws BusUnavailable
 */
export async function append(
  link: Link,
  generation: string,
  maxEvents: number,
  events: readonly RecordedEvent[],
): Promise<string[]> {
  const keys = [GENERATION_KEY, versionsKey(generation), streamKey(generation), ...sizesKeys(generation)]
  const args = [generation, String(maxEvents), writeHeads(events), writeTexts(events)]
  return (await link.ask((client) => APPEND.run(client, keys, args))) as string[]
}
