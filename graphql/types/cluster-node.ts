import { builder } from "../builder.ts"
import { ChargePointConnection } from "../connections.ts"
import { connectionOf, pageOf } from "../paging.ts"
import { ChargePoint, ClusterNode } from "../refs.ts"

builder.objectType(ClusterNode, {
  description: "A node of this Busbar, as the others see it.",
  fields: (t) => ({
    nodeId: t.exposeString("nodeId", { description: "Its name, another one after every start." }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it was started." }),
    seenAt: t.expose("seenAt", { type: "DateTime", description: "When it last gave a sign of life." }),
    roles: t.exposeStringList("roles", { description: "What it does: gateway, api, worker." }),
    version: t.exposeString("version", { description: "Busbar's version." }),
    chargePoints: t.int({
      description: "How many of the organisation's charge points it holds the sockets of.",
      resolve: ({ nodeId }, _args, { loaders }) => loaders.heldCount.load(nodeId),
    }),
    holds: t.connection(
      {
        type: ChargePoint,
        description: "The organisation's charge points that it holds the sockets of, in order of their identity.",
        resolve: async ({ nodeId }, args, { services: { read }, viewer, loaders }) => {
          const slice = await read.chargePoints(viewer.organisationId, { nodeId, online: true }, pageOf(args))
          return connectionOf(slice, () => loaders.heldCount.load(nodeId))
        },
      },
      ChargePointConnection,
    ),
  }),
})

builder.queryField("clusterNodes", (t) =>
  t.field({
    type: [ClusterNode],
    description:
      "The nodes that are alive, in the order of their starts; one that ends without a word is gone after some seconds.",
    resolve: async (_root, _args, { services }) =>
      (await services.nodes()).toSorted((a, b) => a.startedAt - b.startedAt || (a.nodeId < b.nodeId ? -1 : 1)),
  }),
)
