import type { ChangeOf } from "../catalogue.ts"
import { organisationSubject } from "../events.ts"

export const createApiToken: ChangeOf<"createApiToken"> = {
  subjects: ({ apiToken }) => [organisationSubject(apiToken.organisationId)],
  load: (facts, inputs) => facts.apiTokens.load(inputs.map(({ apiToken }) => apiToken.id)),
  apply(facts, { apiToken }) {
    if (facts.apiTokens.get(apiToken.id)) return { alreadyExists: true }
    facts.apiTokens.put(apiToken)
    return { apiToken }
  },
}

/** A token once revoked keeps the instant of its first revocation. */
export const revokeApiToken: ChangeOf<"revokeApiToken"> = {
  subjects: ({ organisationId }) => [organisationSubject(organisationId)],
  load: (facts, inputs) => facts.apiTokens.load(inputs.map(({ apiTokenId }) => apiTokenId)),
  apply(facts, { organisationId, apiTokenId, at }) {
    const row = facts.apiTokens.get(apiTokenId)
    if (row?.organisationId !== organisationId) return { notFound: true }
    if (row.revokedAt !== null) return { apiToken: row }
    const apiToken = { ...row, revokedAt: at }
    facts.apiTokens.put(apiToken)
    return { apiToken }
  },
}
