import { builder } from "../builder.ts"
import { ChargingProfilePurposeWords, ClearChargingProfileStatusWords } from "../enums-of-charging.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("ClearChargingProfile", {
  description:
    "Removes charging profiles: the one with the id, where an id is given; else those to which every field given applies; all where none is. OCPP 1.6 §5.5.",
  input: builder.inputType("ClearChargingProfileInput", {
    description: "ClearChargingProfile.req. OCPP 1.6 §6.11.",
    fields: (t) => ({
      ...operationFields(t),
      id: t.int({ description: "The chargingProfileId; the other fields then mean nothing to the charge point." }),
      connectorId: t.int({ description: "Only those set on this connector; 0: on the charge point." }),
      chargingProfilePurpose: t.field({
        type: ChargingProfilePurposeWords.type,
        description: "Only those of this purpose.",
      }),
      stackLevel: t.int({ description: "Only those on this stack level." }),
    }),
  }),
  confirmation: confirmationType("ClearChargingProfile", (t) => ({
    status: t.field({
      type: ClearChargingProfileStatusWords.type,
      description: "Whether there was anything to remove.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
