import { builder } from "../builder.ts"
import { RemoteStartStopStatusWords } from "../enums.ts"
import { ChargingProfileInput, profileOnTheWire } from "./charging-profile.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("RemoteStartTransaction", {
  description: "Asks the charge point to start a transaction; accepted means that it will try. OCPP 1.6 §5.11.",
  input: builder.inputType("RemoteStartTransactionInput", {
    description: "RemoteStartTransaction.req. OCPP 1.6 §6.33.",
    fields: (t) => ({
      ...operationFields(t),
      idTag: t.string({ required: true, description: "On whose account." }),
      connectorId: t.int({ description: "On which connector; the charge point chooses when left out." }),
      chargingProfile: t.field({ type: ChargingProfileInput, description: "The limits of this transaction." }),
    }),
  }),
  wire: ({ chargingProfile, ...fields }) => ({
    ...fields,
    chargingProfile: chargingProfile && profileOnTheWire(chargingProfile),
  }),
  confirmation: confirmationType("RemoteStartTransaction", (t) => ({
    status: t.field({
      type: RemoteStartStopStatusWords.type,
      description: "Whether it will try.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})
