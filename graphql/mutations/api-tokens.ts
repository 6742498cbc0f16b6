import type { ApiTokenRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { RoleWords } from "../enums.ts"
import { mutation } from "../mutation.ts"
import { ApiToken } from "../refs.ts"

const CreateApiTokenInput = builder.inputType("CreateApiTokenInput", {
  description: "A bearer token to be made.",
  fields: (t) => ({
    name: t.string({ required: true, description: "What it is for; commands show it as requestedBy." }),
    role: t.field({ type: RoleWords.type, required: true, description: "What it lets its bearer do." }),
    expiresAt: t.field({ type: "DateTime", description: "When its time is over; no end when left out." }),
  }),
})

const CreateApiTokenPayload = builder
  .objectRef<{ apiToken: ApiTokenRow; token: string }>("CreateApiTokenPayload")
  .implement({
    description: "The token was made.",
    fields: (t) => ({
      apiToken: t.expose("apiToken", { type: ApiToken, description: "What is kept of it." }),
      token: t.exposeString("token", { description: "Its text, shown this once: Authorization: Bearer <token>." }),
    }),
  })

mutation("createApiToken", {
  description: "Makes a bearer token of the API.",
  role: "Admin",
  input: CreateApiTokenInput,
  success: CreateApiTokenPayload,
  errors: [],
  resolve: ({ name, role, expiresAt }, { services, viewer }) =>
    services.tokens.create(viewer, { name, role, expiresAt: expiresAt ?? undefined }),
})

const RevokeApiTokenInput = builder.inputType("RevokeApiTokenInput", {
  description: "A bearer token that shall open nothing any more.",
  fields: (t) => ({ id: t.id({ required: true, description: "The id of the ApiToken." }) }),
})

const RevokeApiTokenPayload = builder.objectRef<{ apiToken: ApiTokenRow }>("RevokeApiTokenPayload").implement({
  description: "The token opens nothing any more.",
  fields: (t) => ({ apiToken: t.expose("apiToken", { type: ApiToken, description: "What is kept of it." }) }),
})

mutation("revokeApiToken", {
  description: "Revokes a bearer token; subscriptions it holds open end with FORBIDDEN.",
  role: "Admin",
  input: RevokeApiTokenInput,
  success: RevokeApiTokenPayload,
  errors: ["ApiTokenNotFound"],
  resolve: async ({ id }, { services, viewer }) => {
    const apiToken = await services.tokens.revoke(viewer, id)
    await services.authentication.recheck()
    return { apiToken }
  },
})
