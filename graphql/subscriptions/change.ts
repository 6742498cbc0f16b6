/** What all changes have in common. */
import type { ObjectRef } from "@pothos/core"
import { type BuilderTypes, builder } from "../builder.ts"
import type { Words } from "../words.ts"

/** One change as a subscription gives it. */
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
        description: "Names this change: given back as after, the story goes on behind it.",
        resolve: ({ cursor }) => cursor,
      }),
      at: t.field({ type: "DateTime", description: "When it was recorded.", resolve: ({ at }) => at }),
      kind: t.field({ type: kinds.type, description: "What happened.", resolve: ({ kind }) => kind }),
    }),
  })
}

export const AFTER =
  "Only what happened after the change with this cursor, nothing left out; from now on when left out."
