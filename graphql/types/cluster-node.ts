import { builder } from "../builder.ts"
import { ClusterNode } from "../refs.ts"

builder.objectType(ClusterNode, {
  description: "A node of this Busbar, as the others see it.",
  fields: (t) => ({
    nodeId: t.exposeString("nodeId", { description: "Its name." }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it was started." }),
    seenAt: t.expose("seenAt", { type: "DateTime", description: "When it last gave a sign of life." }),
    roles: t.exposeStringList("roles", { description: "What it does: gateway, api, worker." }),
    version: t.exposeString("version", { description: "Busbar's version." }),
    chargePoints: t.exposeInt("chargePoints", { description: "How many sockets of charge points it holds." }),
  }),
})

builder.queryField("clusterNodes", (t) =>
  t.field({
    type: [ClusterNode],
    description: "The nodes that are alive.",
    resolve: (_root, _args, { services }) => services.nodes(),
  }),
)
