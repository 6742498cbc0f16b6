/** The inputs that narrow lists and subscriptions. */
import type { InputShape } from "@pothos/core"
import type { ChargePointFilter, IdTagFilter, TransactionFilter } from "../src/services/ports.ts"
import { type BuilderTypes, builder } from "./builder.ts"
import type { Context } from "./context.ts"
import { CommandStateWords, IdTagStatusWords, RegistrationStatusWords, TransactionStateWords } from "./enums.ts"
import { ChargePointStatusWords } from "./enums-of-charging.ts"
import { given } from "./paging.ts"

export const ChargePointFilterInput = builder.inputType("ChargePointFilter", {
  description: "Narrows charge points; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    identities: t.stringList({ description: "One of these identities." }),
    search: t.string({ description: "Part of identity, vendor, model or serial number, whatever its letter case." }),
    online: t.boolean({ description: "Connected or not." }),
    registrationStatus: t.field({ type: RegistrationStatusWords.type, description: "Whether it may take part." }),
    connectorStatus: t.field({
      type: [ChargePointStatusWords.type],
      description: "At least one connector (above 0) has one of these statuses.",
    }),
    vendor: t.string({ description: "The vendor, exactly." }),
    model: t.string({ description: "The model, exactly." }),
  }),
})

export const TransactionFilterInput = builder.inputType("TransactionFilter", {
  description: "Narrows transactions; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    chargePoints: t.stringList({ description: "At a charge point with one of these identities." }),
    connectorId: t.int({ description: "At the connector with this number." }),
    idTag: t.string({ description: "Started with this idTag, whatever its letter case." }),
    state: t.field({ type: [TransactionStateWords.type], description: "In one of these states." }),
    startedAfter: t.field({ type: "DateTime", description: "Started after this instant." }),
    startedBefore: t.field({ type: "DateTime", description: "Started before this instant." }),
  }),
})

export const IdTagFilterInput = builder.inputType("IdTagFilter", {
  description: "Narrows idTags; what is left out does not narrow.",
  fields: (t) => ({
    search: t.string({ description: "Part of the idTag or its note, whatever its letter case." }),
    status: t.field({ type: IdTagStatusWords.type, description: "With this status." }),
    parentIdTag: t.string({ description: "Below this parent idTag, whatever its letter case." }),
  }),
})

export const CommandFilterInput = builder.inputType("CommandFilter", {
  description: "Narrows commands; what is left out does not narrow, an empty list finds nothing.",
  fields: (t) => ({
    chargePoints: t.stringList({ description: "To a charge point with one of these identities." }),
    action: t.string({ description: "With this action, as OCPP names it: RemoteStartTransaction." }),
    state: t.field({ type: [CommandStateWords.type], description: "In one of these states." }),
  }),
})

export type Given<Ref> = InputShape<BuilderTypes, Ref> | null | undefined

export const chargePointFilter = (input: Given<typeof ChargePointFilterInput>): ChargePointFilter => given(input)

export const idTagFilter = (input: Given<typeof IdTagFilterInput>): IdTagFilter => given(input)

/** Identities become ids; one that nobody knows narrows to nothing. */
export async function transactionFilter(
  input: Given<typeof TransactionFilterInput>,
  context: Context,
): Promise<TransactionFilter> {
  const { chargePoints, ...rest } = given(input)
  return { ...rest, ...(chargePoints && { chargePointIds: await idsOf(chargePoints, context) }) }
}

export async function commandFilter(input: Given<typeof CommandFilterInput>, context: Context) {
  const { chargePoints, ...rest } = given(input)
  return { ...rest, ...(chargePoints && { chargePointIds: await idsOf(chargePoints, context) }) }
}

/** The ids of the charge points with these identities; one that nobody knows is left out. */
export async function idsOf(identities: string[], { services, viewer }: Context): Promise<string[]> {
  const rows = await services.read.chargePointsByIdentities(viewer.organisationId, identities)
  return rows.map(({ id }) => id)
}
