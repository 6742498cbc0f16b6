import { builder } from "../builder.ts"
import { ChargingProfileStatusWords } from "../enums-of-charging.ts"
import { ChargingProfileInput, profileOnTheWire } from "./charging-profile.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("SetChargingProfile", {
  description:
    "Installs one charging profile; once accepted it is in ChargePoint.chargingProfiles, in place of one with its id, or with its purpose and stack level there. OCPP 1.6 §5.16.",
  input: builder.inputType("SetChargingProfileInput", {
    description: "SetChargingProfile.req. OCPP 1.6 §6.43.",
    fields: (t) => ({
      ...operationFields(t),
      connectorId: t.int({ required: true, description: "On which connector; 0: the charge point." }),
      csChargingProfiles: t.field({
        type: ChargingProfileInput,
        required: true,
        description: "The profile: one, whatever the standard calls it.",
      }),
    }),
  }),
  wire: ({ csChargingProfiles, ...fields }) => ({
    ...fields,
    csChargingProfiles: profileOnTheWire(csChargingProfiles),
  }),
  confirmation: confirmationType("SetChargingProfile", (t) => ({
    status: t.field({
      type: ChargingProfileStatusWords.type,
      description: "Whether it took the profile.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
