import { builder } from "../builder.ts"
import { ChargePointStatusWords } from "../enums-of-charging.ts"
import { FleetSummary } from "../refs.ts"

const StatusCount = builder.objectRef<{ status: string; connectors: number }>("ConnectorStatusCount").implement({
  description: "How many connectors have one status.",
  fields: (t) => ({
    status: t.field({
      type: ChargePointStatusWords.type,
      nullable: true,
      description: "The status; null where charge points used a word of their own.",
      resolve: ({ status }) => ChargePointStatusWords.known(status),
    }),
    reportedStatus: t.exposeString("status", { description: "The status in the charge points' own word." }),
    connectors: t.exposeInt("connectors", { description: "How many connectors have it." }),
  }),
})

builder.objectType(FleetSummary, {
  description: "The organisation's charge points summed up.",
  fields: (t) => ({
    chargePoints: t.exposeInt("chargePoints", { description: "How many charge points there are." }),
    online: t.exposeInt("online", { description: "How many are connected." }),
    offline: t.exposeInt("offline", { description: "How many are not." }),
    connectorsByStatus: t.field({
      type: [StatusCount],
      description: "Connectors (above 0) by their status as last reported, in order of the word.",
      resolve: ({ connectorsByStatus }) =>
        Object.entries(connectorsByStatus)
          .map(([status, connectors]) => ({ status, connectors }))
          .sort((one, other) => (one.status < other.status ? -1 : 1)),
    }),
    chargingNow: t.int({
      description: "How many connectors last reported the status Charging, also where the charge point is offline now.",
      resolve: ({ connectorsByStatus }) => connectorsByStatus["Charging"] ?? 0,
    }),
    activeTransactions: t.exposeInt("activeTransactions", { description: "How many transactions run." }),
    powerNowW: t.exposeFloat("powerW", {
      description: "Power that running transactions take, W, by readings of the last 15 minutes.",
    }),
    energyTodayWh: t.exposeFloat("energyWh", {
      description:
        "Energy of the transactions that run or ended since 00:00 UTC, Wh; of those that began before, all of it.",
    }),
  }),
})

builder.queryField("fleet", (t) =>
  t.field({
    type: FleetSummary,
    description: "The organisation's charge points summed up.",
    resolve: (_root, _args, { services, viewer }) => services.fleet.sumsOf(viewer.organisationId),
  }),
)
