import { builder } from "../builder.ts"
import { DataTransferStatusWords } from "../enums.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

operation("DataTransfer", {
  description: "Carries what the standard has no message for. OCPP 1.6 §5.6.",
  input: builder.inputType("DataTransferInput", {
    description: "DataTransfer.req. OCPP 1.6 §6.15.",
    fields: (t) => ({
      ...operationFields(t),
      vendorId: t.string({ required: true, description: "Whose meaning it has: a reversed domain name." }),
      messageId: t.string({ description: "Which message of that vendor." }),
      data: t.string({ description: "What it says." }),
    }),
  }),
  confirmation: confirmationType("DataTransfer", (t) => ({
    status: t.field({
      type: DataTransferStatusWords.type,
      description: "Whether it was understood.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
    data: t.string({
      nullable: true,
      description: "What the charge point says in return.",
      resolve: ({ confirmation }) => confirmation.data ?? null,
    }),
  })),
})
