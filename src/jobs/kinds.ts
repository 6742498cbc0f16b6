/** The kinds of jobs there are: the queue of each and what its jobs carry. Ids, never facts: those may have changed. */
import * as v from "valibot"

/** A queue and the shape of its jobs' payload. */
export interface JobKind<Payload> {
  /** Also the name of its queue. */
  readonly name: string
  readonly payload: v.GenericSchema<unknown, Payload>
}

const nothing = v.strictObject({})

/** Who is online by the books alone, and which commands nobody ends. */
export const livenessJob = { name: "liveness", payload: nothing } satisfies JobKind<unknown>

/** What is older than it has to be kept. */
export const retentionJob = { name: "retention", payload: nothing } satisfies JobKind<unknown>

/** A charge point that may be spoken to, and for which commands wait. */
export const commandsJob = {
  name: "commands",
  payload: v.strictObject({ chargePointId: v.string() }),
} satisfies JobKind<unknown>

/** A command that may have expired; without one, all that was lost of either kind. */
export const commandSweepJob = {
  name: "command-sweep",
  payload: v.strictObject({
    expired: v.optional(
      v.strictObject({ organisationId: v.string(), chargePointId: v.string(), commandId: v.string() }),
    ),
  }),
} satisfies JobKind<unknown>
/** A charge point within a firmware campaign, or a campaign, to look at; without either, all that is due or was forgotten. */
export const firmwareJob = {
  name: "firmware",
  payload: v.strictObject({
    entry: v.optional(
      v.strictObject({ organisationId: v.string(), campaignId: v.string(), chargePointId: v.string() }),
    ),
    campaignId: v.optional(v.string()),
  }),
} satisfies JobKind<unknown>

/** Which reservations' time is over. */
export const reservationJob = { name: "reservations", payload: nothing } satisfies JobKind<unknown>
