import type { FleetTold } from "../../src/services/fleet.ts"
import { demand } from "../../src/services/refusals.ts"
import { builder } from "../builder.ts"
import { FleetChangeKindWords } from "../enums.ts"
import { FleetSummary } from "../refs.ts"
import { beginningArgs, beginningOf, changeType } from "./change.ts"

/** Looking more often costs the store more than anybody can see. */
const MIN_EVERY_MS = 250
const MAX_EVERY_MS = 3_600_000
const DEFAULT_EVERY_MS = 1_000

const FleetChangeRef = changeType<FleetTold>("FleetChange", "The organisation's sums.", FleetChangeKindWords)

builder.objectField(FleetChangeRef, "fleet", (t) =>
  t.expose("sums", { type: FleetSummary, description: "The sums, with SNAPSHOT_END too." }),
)

builder.subscriptionField("fleetChanged", (t) =>
  t.field({
    type: FleetChangeRef,
    description: "The organisation's sums each time they are found changed.",
    args: {
      everyMs: t.arg.int({
        defaultValue: DEFAULT_EVERY_MS,
        description: `How often they are looked at, ms, ${MIN_EVERY_MS} to ${MAX_EVERY_MS}.`,
      }),
      ...beginningArgs(t.arg, {
        after:
          "The sums come at once if they are no longer those of the change with this cursor. Any cursor is good here: what lay between is not told.",
        snapshot: "Here: the sums of now.",
      }),
    },
    subscribe: (_root, { everyMs: asked, ...beginning }, { services, viewer }) => {
      const everyMs = asked ?? DEFAULT_EVERY_MS
      demand([
        everyMs >= MIN_EVERY_MS && everyMs <= MAX_EVERY_MS,
        "everyMs",
        `must be ${MIN_EVERY_MS} to ${MAX_EVERY_MS}`,
      ])
      return services.fleet.story(viewer.organisationId, everyMs, beginningOf(beginning))
    },
    resolve: (told) => told,
  }),
)
