/** The one script by which events enter the stream: each subject's in the order of their versions, once, without a gap. */
import type { RecordedEvent } from "../facts/recorded.ts"
import { Script } from "../redis/script.ts"
import { fieldsOf, ORIGIN_FIELD } from "./entry.ts"
import { BEGAN_FIELD } from "./generation.ts"
import { GENERATION_KEY, orderKey, sizesKeys, streamKey, versionsKey } from "./keys.ts"
import type { Link } from "./link.ts"

/** The most events of one entry: Lua takes only so many values at a time. */
export const MAX_EVENTS_PER_ENTRY = 1_000

const APPEND = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], '${BEGAN_FIELD}') == 0
  or redis.call('EXISTS', KEYS[3], KEYS[4]) < 2 then return {} end
local moved, before, subjects, unfit = cjson.decode(ARGV[4]), cjson.decode(ARGV[5]), {}, {}
for i = 1, #before do subjects[i] = moved[2 * i - 1] end
local seen = redis.call('HMGET', KEYS[2], unpack(subjects))
for i, version in ipairs(before) do
  if (seen[i] or '0') ~= version then
    unfit[#unfit + 1] = subjects[i]
    unfit[#unfit + 1] = seen[i] or '0'
  end
end
if #unfit > 0 then return {redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1][1], unpack(unfit)} end
local id = redis.call('XADD', KEYS[3], '*', unpack(ARGV, 7))
redis.call('XADD', KEYS[4], id, '${ORIGIN_FIELD}', ARGV[6])
redis.call('HSET', KEYS[2], unpack(moved))
local kept, entries = redis.call('INCRBY', KEYS[5], ARGV[3]), redis.call('RPUSH', KEYS[6], ARGV[3])
local held = entries
while kept > tonumber(ARGV[2]) and entries > 1 do
  kept, entries = kept - redis.call('LPOP', KEYS[6]), entries - 1
end
if entries < held then
  redis.call('SET', KEYS[5], kept)
  redis.call('XTRIM', KEYS[3], 'MAXLEN', entries)
  redis.call('XTRIM', KEYS[4], 'MAXLEN', entries)
end
return {id}
`)

/** What is to be appended: at most MAX_EVENTS_PER_ENTRY events, and where they come from, for whoever reads them. */
interface Appending {
  origin: string
  events: readonly RecordedEvent[]
}

/**
 * Appends events as one entry: all of them, or none where one does not continue its subject's story. Of what is older
 * than the newest `maxEvents` events, whole entries are cut off. Gives the last entry's id, then the subjects that do not
 * fit, each followed by the version that it has come to; nothing where Redis does not tell this generation.
 * @throws BusUnavailable
 */
export async function append(
  link: Link,
  generation: string,
  maxEvents: number,
  { origin, events }: Appending,
): Promise<string[]> {
  const [stream, order] = [streamKey(generation), orderKey(generation)]
  const keys = [GENERATION_KEY, versionsKey(generation), stream, order, ...sizesKeys(generation)]
  const { moved, before } = storiesOf(events)
  const args = [
    generation,
    String(maxEvents),
    String(events.length),
    JSON.stringify(moved),
    JSON.stringify(before),
    origin,
    ...Object.entries(fieldsOf(events)).flat(),
  ]
  return (await link.ask((client) => APPEND.run(client, keys, args))) as string[]
}

/** What no story's version is: nothing follows it. */
const NEVER = "-"

/** The subjects, each followed by the version that it comes to; and the version that each must have come to before. */
function storiesOf(events: readonly RecordedEvent[]): { moved: (string | number)[]; before: string[] } {
  const places = new Map<string, number>()
  const moved: (string | number)[] = []
  const before: string[] = []
  for (const { subject, version } of events) {
    const place = places.get(subject)
    if (place === undefined) {
      places.set(subject, before.length)
      moved.push(subject, version)
      before.push(String(version - 1))
    } else {
      if (version !== Number(moved[2 * place + 1]) + 1) before[place] = NEVER
      moved[2 * place + 1] = version
    }
  }
  return { moved, before }
}
