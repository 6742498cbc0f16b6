import { builder } from "../builder.ts"
import { Deviation } from "../refs.ts"

builder.objectType(Deviation, {
  description: "A deviation from the standard, counted per kind and place.",
  fields: (t) => ({
    kind: t.exposeString("kind", { description: "What kind it is." }),
    place: t.exposeString("place", { description: "Action and path of the field, or where in the handshake." }),
    example: t.exposeString("example", { description: "What stood there." }),
    count: t.exposeInt("count", { description: "How often it was met." }),
    firstAt: t.expose("firstAt", { type: "DateTime", description: "When it was first met." }),
    lastAt: t.expose("lastAt", { type: "DateTime", description: "When it was last met." }),
  }),
})
