import { allows } from "../../src/services/viewer.ts"
import { builder } from "../builder.ts"
import { RoleWords } from "../enums.ts"
import { Forbidden } from "../errors.ts"
import { ApiToken } from "../refs.ts"

builder.objectType(ApiToken, {
  description: "A bearer token of the API; its text is kept nowhere.",
  fields: (t) => ({
    id: t.exposeID("id", { description: "Names it to revokeApiToken." }),
    name: t.exposeString("name", { description: "What it is for." }),
    role: t.expose("role", { type: RoleWords.type, description: "What it lets its bearer do." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made." }),
    expiresAt: t.expose("expiresAt", { type: "DateTime", nullable: true, description: "When its time is over." }),
    revokedAt: t.expose("revokedAt", { type: "DateTime", nullable: true, description: "When it was revoked." }),
  }),
})

builder.queryField("apiTokens", (t) =>
  t.field({
    type: [ApiToken],
    description: "The organisation's API tokens. Needs role ADMIN.",
    resolve: (_root, _args, { services, viewer }) => {
      if (!allows(viewer.role, "Admin")) throw new Forbidden("Admin")
      return services.tokens.list(viewer)
    },
  }),
)
