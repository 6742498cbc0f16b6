import { builder } from "../builder.ts"
import { IdTagConnection } from "../connections.ts"
import { IdTagStatusWords } from "../enums.ts"
import { IdTagFilterInput, idTagFilter } from "../filters.ts"
import { connectionOf, pageOf } from "../paging.ts"
import { IdTag } from "../refs.ts"

builder.node(IdTag, {
  description: "Who may charge. Unique within the organisation, whatever its letter case. OCPP 1.6 §7.28.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.idTag.load(id))),
  fields: (t) => ({
    idTag: t.exposeString("idTag", { description: "As it was given." }),
    status: t.expose("status", { type: IdTagStatusWords.type, description: "What is stored about it." }),
    parentIdTag: t.exposeString("parentIdTag", {
      nullable: true,
      description: "Those with the same parent may stop what one of them started.",
    }),
    expiryDate: t.expose("expiryDate", {
      type: "DateTime",
      nullable: true,
      description: "From then on it is Expired; null: no end.",
    }),
    maxActiveTransactions: t.exposeInt("maxActiveTransactions", {
      nullable: true,
      description: "How many transactions may run on it at once; null: any number.",
    }),
    note: t.exposeString("note", { nullable: true, description: "The operator's own words about it." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was created." }),
  }),
})

builder.queryField("idTags", (t) =>
  t.connection(
    {
      type: IdTag,
      description: "The organisation's idTags.",
      args: { filter: t.arg({ type: IdTagFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, { services: { read }, viewer }) =>
        connectionOf(await read.idTags(viewer.organisationId, idTagFilter(filter), pageOf(page))),
    },
    IdTagConnection,
  ),
)
