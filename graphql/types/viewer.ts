import { builder } from "../builder.ts"
import { RoleWords } from "../enums.ts"
import { ViewerRef } from "../refs.ts"

builder.objectType(ViewerRef, {
  description: "Who asks: the bearer of the token.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The token's name, or the subject of the JWT." }),
    role: t.expose("role", { type: RoleWords.type, description: "What the token lets its bearer do." }),
    organisationId: t.exposeString("organisationId", {
      description: "The organisation that everything shown belongs to.",
    }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "From then on the token opens nothing; null: it has no end.",
    }),
  }),
})

builder.queryField("viewer", (t) =>
  t.field({ type: ViewerRef, description: "Who asks.", resolve: (_root, _args, { viewer }) => viewer }),
)
