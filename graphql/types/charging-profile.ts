import { instantOf } from "../../src/facts/instants.ts"
import type { HeldChargingProfile } from "../../src/services/charging-profiles.ts"
import { builder } from "../builder.ts"
import { ChargingProfileKindWords, ChargingProfilePurposeWords, RecurrencyKindWords } from "../enums-of-charging.ts"
import { ChargePoint, Command, Transaction } from "../refs.ts"
import { ChargingScheduleRef } from "./charging-schedule.ts"

const instant = (text: string | undefined) => (text === undefined ? null : instantOf(text))

const ChargingProfileRef = builder.objectRef<HeldChargingProfile>("ChargingProfile").implement({
  description: "A charging profile that a charge point is believed to hold, as it was sent. OCPP 1.6 §7.8.",
  fields: (t) => ({
    chargingProfileId: t.exposeInt("chargingProfileId", { description: "Its id." }),
    connectorId: t.exposeInt("connectorId", {
      nullable: true,
      description:
        "The connector it was set on, 0: the charge point; null: that of a transaction yet to start, whichever it will be.",
    }),
    stackLevel: t.exposeInt("stackLevel", { description: "The higher one wins." }),
    chargingProfilePurpose: t.expose("chargingProfilePurpose", {
      type: ChargingProfilePurposeWords.type,
      description: "What it limits.",
    }),
    chargingProfileKind: t.field({
      type: ChargingProfileKindWords.type,
      description: "To what its time refers.",
      resolve: ({ profile }) => profile.chargingProfileKind,
    }),
    recurrencyKind: t.field({
      type: RecurrencyKindWords.type,
      nullable: true,
      description: "How often it comes back, with kind RECURRING.",
      resolve: ({ profile }) => profile.recurrencyKind ?? null,
    }),
    validFrom: t.field({
      type: "DateTime",
      nullable: true,
      description: "From when it counts.",
      resolve: ({ profile }) => instant(profile.validFrom),
    }),
    validTo: t.field({
      type: "DateTime",
      nullable: true,
      description: "Until when it counts.",
      resolve: ({ profile }) => instant(profile.validTo),
    }),
    chargingSchedule: t.field({
      type: ChargingScheduleRef,
      description: "Its limits over time.",
      resolve: ({ profile }) => profile.chargingSchedule,
    }),
    transactionId: t.exposeInt("transactionId", {
      nullable: true,
      description: "The transaction that a TX_PROFILE belongs to; null while that is yet to start.",
    }),
    transaction: t.field({
      type: Transaction,
      nullable: true,
      description: "That transaction; null where Busbar knows none of this id on the charge point.",
      resolve: async ({ chargePointId, transactionId }, _args, { loaders }) => {
        const transaction = transactionId === null ? null : await loaders.transaction.load(transactionId)
        return transaction?.chargePointId === chargePointId ? transaction : null
      },
    }),
    acceptedAt: t.expose("acceptedAt", { type: "DateTime", description: "When the charge point accepted it." }),
    command: t.field({
      type: Command,
      nullable: true,
      description: "The command that it came with.",
      resolve: ({ commandId }, _args, { loaders }) => loaders.command.load(commandId),
    }),
  }),
})

builder.objectField(ChargePoint, "chargingProfiles", (t) =>
  t.field({
    type: [ChargingProfileRef],
    description:
      "The charging profiles it accepted that nothing has replaced, cleared or ended since, oldest first. OCPP 1.6 §3.13.",
    resolve: async ({ id }, _args, { loaders, services }) =>
      services.chargingProfiles.held(await loaders.chargingProfiles.load(id)),
  }),
)
