import type { Caller } from "./handler.ts"

/** The idTag that a charge point means, without a payment terminal's prefix where that is forgiven. */
export async function meantIdTag(idTag: string, { from, level, deviates, services }: Caller): Promise<string> {
  if (level === "strict") return idTag
  const meant = await services.authorization.behindPrefix(from.organisationId, idTag)
  if (meant !== undefined) deviates("prefixed-id-tag", "idTag", idTag)
  return meant ?? idTag
}
