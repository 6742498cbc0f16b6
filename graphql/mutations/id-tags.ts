import type { IdTagRow } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { IdTagStatusWords } from "../enums.ts"
import { mutation } from "../mutation.ts"
import { IdTag } from "../refs.ts"

const payload = (name: string, description: string) =>
  builder.objectRef<{ idTag: IdTagRow }>(name).implement({
    description,
    fields: (t) => ({ idTag: t.expose("idTag", { type: IdTag, description: "The idTag." }) }),
  })

const CreateIdTagInput = builder.inputType("CreateIdTagInput", {
  description: "An idTag to be known from now on.",
  fields: (t) => ({
    idTag: t.string({
      required: true,
      description: "1 to 20 characters; letter case and blanks at the ends make no difference.",
    }),
    status: t.field({ type: IdTagStatusWords.type, description: "ACCEPTED when left out." }),
    parentIdTag: t.string({ description: "Those with the same parent may stop what one of them started." }),
    expiryDate: t.field({
      type: "DateTime",
      description: "From then on it is Expired, may lie in the past; no end when left out.",
    }),
    maxActiveTransactions: t.int({
      description: "How many transactions may run on it at once; any number when left out.",
    }),
    note: t.string({ description: "Own words about it." }),
  }),
})

mutation("createIdTag", {
  description: "Makes an idTag known.",
  role: "Operator",
  input: CreateIdTagInput,
  success: payload("CreateIdTagPayload", "The idTag was created."),
  errors: ["AlreadyExists"],
  resolve: async ({ idTag, status, ...settings }, { services, viewer }) => ({
    idTag: await services.idTags.create(viewer, idTag, { ...settings, status: status ?? undefined }),
  }),
})

const UpdateIdTagInput = builder.inputType("UpdateIdTagInput", {
  description:
    "What shall be different about an idTag; what is left out stays as it is, null takes it away (but never the status).",
  fields: (t) => ({
    idTag: t.string({ required: true, description: "Which idTag, whatever its letter case." }),
    status: t.field({ type: IdTagStatusWords.type, description: "What is stored about it." }),
    parentIdTag: t.string({ description: "Those with the same parent may stop what one of them started." }),
    expiryDate: t.field({ type: "DateTime", description: "From then on it is Expired." }),
    maxActiveTransactions: t.int({ description: "How many transactions may run on it at once." }),
    note: t.string({ description: "Own words about it." }),
  }),
})

mutation("updateIdTag", {
  description: "Changes what is known about an idTag.",
  role: "Operator",
  input: UpdateIdTagInput,
  success: payload("UpdateIdTagPayload", "The idTag is as asked."),
  errors: ["IdTagNotFound"],
  resolve: async ({ idTag, status, ...settings }, { services, viewer }) => ({
    idTag: await services.idTags.update(viewer, idTag, { ...settings, status: status ?? undefined }),
  }),
})

const DeleteIdTagInput = builder.inputType("DeleteIdTagInput", {
  description: "An idTag to be forgotten.",
  fields: (t) => ({ idTag: t.string({ required: true, description: "Which idTag, whatever its letter case." }) }),
})

mutation("deleteIdTag", {
  description: "Forgets an idTag: from then on it is Invalid.",
  role: "Operator",
  input: DeleteIdTagInput,
  success: payload("DeleteIdTagPayload", "The idTag is gone; it is shown as it last was."),
  errors: ["IdTagNotFound"],
  resolve: async ({ idTag }, { services, viewer }) => ({ idTag: await services.idTags.delete(viewer, idTag) }),
})
