/** What all changes have in common. */
import type { ArgBuilder, ObjectRef } from "@pothos/core"
import type { Beginning } from "../../src/services/following/story.ts"
import { type BuilderTypes, builder } from "../builder.ts"
import type { Words } from "../words.ts"

/** Something told as a subscription gives it. */
export interface Change<Kind extends string = string> {
  cursor: string
  at: number
  kind: Kind
}

/** Declares a change type with its cursor, instant and kind; what changed is added by its own name. */
export function changeType<Shape extends Change>(
  name: string,
  description: string,
  kinds: Words<string>,
): ObjectRef<BuilderTypes, Shape> {
  const ref = builder.objectRef<Shape>(name)
  return ref.implement({
    description,
    fields: (t) => ({
      cursor: t.field({
        type: "Cursor",
        description:
          "Names this change: given back as after, the story goes on behind it, on any node. With kind SNAPSHOT it names nothing to go on from, for the rest of the snapshot would be missing; with SNAPSHOT_END it does.",
        resolve: ({ cursor }) => cursor,
      }),
      at: t.field({
        type: "DateTime",
        description: "When it was recorded; with SNAPSHOT and SNAPSHOT_END, when the snapshot was taken.",
        resolve: ({ at }) => at,
      }),
      kind: t.field({ type: kinds.type, description: "What happened.", resolve: ({ kind }) => kind }),
    }),
  })
}

/** Whether the thing is no longer within the filter. */
export const LEFT =
  "True when it is no longer within the filter, be it that it changed or that it was deleted: take it off the screen. It may be told of something that was never shown."

const AFTER =
  "Only what happened after the change with this cursor, nothing left out and nothing twice; from now on when left out. Ends as CURSOR_EXPIRED where that can no longer be told."
const SNAPSHOT =
  "First what is there now, each with kind SNAPSHOT, then one SNAPSHOT_END, then every later change. What was known before and is not in the snapshot is gone. Together with after: goes on behind that cursor where it still can, else begins with a snapshot, instead of CURSOR_EXPIRED: the one call that a live screen makes at its start and after every disconnect."

/** The arguments that say where a subscription begins. */
export const beginningArgs = (t: ArgBuilder<BuilderTypes>, { after = AFTER, snapshot = "" } = {}) => ({
  after: t({ type: "Cursor", description: after }),
  snapshot: t({
    type: "Boolean",
    defaultValue: false,
    description: [SNAPSHOT, snapshot].filter(Boolean).join(" "),
  }),
})

/** The same as the services are told it. */
export const beginningOf = (args: {
  after?: string | null | undefined
  snapshot?: boolean | null | undefined
}): Beginning => ({ after: args.after ?? undefined, snapshot: args.snapshot ?? false })
