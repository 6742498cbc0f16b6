/** The names of everything Busbar keeps in Redis beside its queues, and of its channels. */

/** What a node says of itself, expiring with its lease. */
export const LEASE_PREFIX = "busbar:node:"
/** All nodes lately seen, by the instant they were. */
export const NODES_KEY = "busbar:nodes"
/** `<epoch> <nodeId>` of the node that holds a charge point. */
export const ownerKey = (chargePointId: string): string => `busbar:owner:${chargePointId}`
/** The nodes that were lately told to let go of a charge point, for as long as one of them may not have begun to doubt. */
export const toldKey = (chargePointId: string): string => `busbar:told:${chargePointId}`
/** The name of this Redis, for as long as it is not emptied. */
export const REDIS_ID_KEY = "busbar:redis-id"
/** The greatest epoch ever given. */
export const EPOCH_KEY = "busbar:epoch"
/** What is said to one node. */
export const NODE_CHANNEL_PREFIX = "busbar:to:"
/** Who watches whose wire, said to every node. */
export const WATCH_CHANNEL = "busbar:watch"
/** The wire-log rows of one charge point, for those who watch it. */
export const wireChannel = (chargePointId: string): string => `busbar:wire:${chargePointId}`
/** What belongs to the stream of events; the number is that of the form of its entries. */
export const EVENTS_PREFIX = "busbar:events:3:"
/** What an earlier version of Busbar has left behind. */
export const FORMER_EVENTS_PREFIX = "busbar:events:2:"
/** Which generation of the event stream is the present one. */
export const GENERATION_KEY = `${EVENTS_PREFIX}generation`
/** Held by the node that begins a generation. */
export const GENERATION_LOCK_KEY = `${GENERATION_KEY}:lock`
/** The stream of events of one generation. */
export const streamKey = (generation: string): string => `${EVENTS_PREFIX}${generation}:stream`
/** The ids of the stream's entries, each with its origin: what whoever waits for the next one reads. */
export const orderKey = (generation: string): string => `${EVENTS_PREFIX}${generation}:order`
/** How many events each entry of the stream holds, in the stream's order; behind the name of their sum. */
export const sizesKeys = (generation: string): [sum: string, sizes: string] => [
  `${EVENTS_PREFIX}${generation}:events`,
  `${EVENTS_PREFIX}${generation}:sizes`,
]
/** The last version in the stream, per subject. */
export const versionsKey = (generation: string): string => `${EVENTS_PREFIX}${generation}:versions`
