import type { FleetSums } from "../../src/services/ports.ts"
import { demand } from "../../src/services/refusals.ts"
import { builder } from "../builder.ts"
import { FleetChangeKindWords } from "../enums.ts"
import { Live } from "../live.ts"
import { FleetSummary } from "../refs.ts"
import { type Change, changeType } from "./change.ts"

interface FleetChange extends Change<"Changed"> {
  fleet: FleetSums
}

/** Looking more often costs the store more than anybody can see. */
const MIN_EVERY_MS = 250
const MAX_EVERY_MS = 3_600_000
const DEFAULT_EVERY_MS = 1_000

const FleetChangeRef = changeType<FleetChange>(
  "FleetChange",
  "The organisation's sums have changed.",
  FleetChangeKindWords,
)

builder.objectField(FleetChangeRef, "fleet", (t) => t.expose("fleet", { type: FleetSummary, description: "The sums." }))

builder.subscriptionField("fleetChanged", (t) =>
  t.field({
    type: FleetChangeRef,
    description: "The organisation's sums each time they are found changed.",
    args: {
      everyMs: t.arg.int({
        defaultValue: DEFAULT_EVERY_MS,
        description: `How often they are looked at, ms, ${MIN_EVERY_MS} to ${MAX_EVERY_MS}.`,
      }),
      after: t.arg({
        type: "Cursor",
        description: "The sums come at once if they are no longer those of the change with this cursor.",
      }),
    },
    subscribe: (_root, args, context) => {
      const everyMs = args.everyMs ?? DEFAULT_EVERY_MS
      demand([
        everyMs >= MIN_EVERY_MS && everyMs <= MAX_EVERY_MS,
        "everyMs",
        `must be ${MIN_EVERY_MS} to ${MAX_EVERY_MS}`,
      ])
      return new Live(context, (signal) =>
        context.services.fleet.follow(context.viewer.organisationId, everyMs, {
          after: args.after ?? undefined,
          signal,
        }),
      )
    },
    resolve: ({ cursor, at, sums }) => ({ cursor, at, kind: "Changed" as const, fleet: sums }),
  }),
)
