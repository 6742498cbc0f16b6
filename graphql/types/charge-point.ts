import { builder } from "../builder.ts"
import {
  ChargePointConnection,
  CommandConnection,
  DiagnosticsConnection,
  FirmwareUpdateConnection,
  OcppMessageConnection,
  StrayMessageConnection,
  TransactionConnection,
} from "../connections.ts"
import { CommandStateWords, LeniencyWords, RegistrationStatusWords, TransactionStateWords } from "../enums.ts"
import { ChargePointFilterInput, chargePointFilter } from "../filters.ts"
import { connectionOf, given, isEndPage, pageOf } from "../paging.ts"
import {
  ChargePoint,
  ClusterNode,
  Command,
  ConfigurationKey,
  Connector,
  Deviation,
  DiagnosticsRef,
  DiagnosticsReport,
  FirmwareReport,
  FirmwareUpdate,
  OcppMessage,
  StrayMessage,
  Transaction,
} from "../refs.ts"

builder.node(ChargePoint, {
  description: "A charge point, known by its identity.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque. Another one after deletion and new creation." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.chargePoint.load(id))),
  fields: (t) => ({
    identity: t.exposeString("identity", {
      description: "Its name in the URL it connects to; unique, letter case counts.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was announced." }),
    registrationStatus: t.expose("registrationStatus", {
      type: RegistrationStatusWords.type,
      description: "The operator's decision whether it may take part.",
    }),
    acceptedAt: t.expose("acceptedAt", {
      type: "DateTime",
      nullable: true,
      description: "When a BootNotification was first answered Accepted.",
    }),
    lastBootAt: t.expose("lastBootAt", {
      type: "DateTime",
      nullable: true,
      description: "When it last introduced itself with BootNotification.",
    }),
    online: t.exposeBoolean("online", { description: "Whether its socket is open." }),
    connectedSince: t.expose("connectedSince", {
      type: "DateTime",
      nullable: true,
      description: "Since when its socket is open; null while offline.",
    }),
    disconnectedAt: t.expose("disconnectedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was last found offline.",
    }),
    lastSeenAt: t.expose("lastSeenAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was last heard of; written now and then, not at every frame.",
    }),
    nodeId: t.exposeString("nodeId", {
      nullable: true,
      description: "The name of the node that holds its socket; null while offline.",
    }),
    heldBy: t.field({
      type: ClusterNode,
      nullable: true,
      description: "The node that holds its socket; null while offline, and where that node is no longer alive.",
      resolve: ({ nodeId }, _args, { loaders }) => (nodeId === null ? null : loaders.clusterNode.load(nodeId)),
    }),
    securityProfile: t.exposeInt("securityProfile", {
      description: "0 none, 1 Basic authentication, 2 the same over TLS, 3 client certificate.",
    }),
    hasPassword: t.boolean({
      description: "Whether it has to authenticate with a password: security profile 1 or 2.",
      resolve: ({ securityProfile }) => securityProfile === 1 || securityProfile === 2,
    }),
    leniency: t.expose("leniency", {
      type: LeniencyWords.type,
      nullable: true,
      description: "What its deviations meet; null: the node's default.",
    }),
    wireLog: t.exposeBoolean("wireLog", { description: "Whether every frame of it is kept in the wire log." }),
    heartbeatIntervalS: t.exposeInt("heartbeatIntervalS", {
      nullable: true,
      description: "The heartbeat interval it is given, s; null: the node's default.",
    }),
    vendor: t.exposeString("vendor", {
      nullable: true,
      description: "chargePointVendor of its last BootNotification.",
    }),
    model: t.exposeString("model", { nullable: true, description: "chargePointModel of its last BootNotification." }),
    serialNumber: t.exposeString("serialNumber", {
      nullable: true,
      description: "chargePointSerialNumber of its last BootNotification.",
    }),
    chargeBoxSerialNumber: t.exposeString("chargeBoxSerialNumber", {
      nullable: true,
      description: "chargeBoxSerialNumber of its last BootNotification.",
    }),
    firmwareVersion: t.exposeString("firmwareVersion", {
      nullable: true,
      description: "firmwareVersion of its last BootNotification.",
    }),
    iccid: t.exposeString("iccid", { nullable: true, description: "ICCID of its modem's SIM card." }),
    imsi: t.exposeString("imsi", { nullable: true, description: "IMSI of its modem's SIM card." }),
    meterType: t.exposeString("meterType", { nullable: true, description: "Type of its main meter." }),
    meterSerialNumber: t.exposeString("meterSerialNumber", {
      nullable: true,
      description: "Serial number of its main meter.",
    }),
    connectors: t.field({
      type: [Connector],
      description: "Its connectors as last reported, in order; connector 0 is the charge point itself.",
      resolve: ({ id }, _args, { loaders }) => loaders.connectors.load(id),
    }),
    configuration: t.field({
      type: [ConfigurationKey],
      description: "Its configuration as far as GetConfiguration and ChangeConfiguration have told.",
      resolve: ({ id }, _args, { loaders }) => loaders.configuration.load(id),
    }),
    deviations: t.field({
      type: [Deviation],
      description: "In what it deviates from the standard.",
      resolve: ({ id }, _args, { loaders }) => loaders.deviations.load(id),
    }),
    firmware: t.field({
      type: FirmwareReport,
      nullable: true,
      description: "Its newest FirmwareStatusNotification; which update it belongs to, firmwareUpdates tells.",
      resolve: ({ id }, _args, { loaders }) =>
        loaders.latestReport.load({ of: id, args: "FirmwareStatusNotification" }),
    }),
    diagnostics: t.field({
      type: DiagnosticsReport,
      nullable: true,
      description: "Its newest DiagnosticsStatusNotification; which request it belongs to, diagnosticsRequests tells.",
      resolve: ({ id }, _args, { loaders }) =>
        loaders.latestReport.load({ of: id, args: "DiagnosticsStatusNotification" }),
    }),
    firmwareUpdates: t.connection(
      {
        type: FirmwareUpdate,
        description: "The firmware updates that were asked for, newest first.",
        resolve: async ({ id }, args, { services: { read }, loaders }) => {
          const page = pageOf(args)
          const slice = isEndPage(page)
            ? loaders.firmwareUpdates.load({ of: id, args: page })
            : read.firmwareUpdatesOf(id, page)
          return connectionOf(await slice)
        },
      },
      FirmwareUpdateConnection,
    ),
    diagnosticsRequests: t.connection(
      {
        type: DiagnosticsRef,
        description: "The diagnostics that were asked for, newest first.",
        resolve: async ({ id }, args, { services: { read }, loaders }) => {
          const page = pageOf(args)
          const slice = isEndPage(page)
            ? loaders.diagnosticsRequests.load({ of: id, args: page })
            : read.diagnosticsOf(id, page)
          return connectionOf(await slice)
        },
      },
      DiagnosticsConnection,
    ),
    transactions: t.connection(
      {
        type: Transaction,
        description: "Its transactions, newest first.",
        args: {
          state: t.arg({ type: [TransactionStateWords.type], description: "Only those in one of these states." }),
        },
        resolve: async ({ id, organisationId }, args, { services: { read }, loaders }) => {
          const filter = given({ state: args.state })
          const page = pageOf(args)
          const slice = isEndPage(page)
            ? loaders.transactions.load({ of: id, args: { filter, page } })
            : read.transactions(organisationId, { ...filter, chargePointIds: [id] }, page)
          return connectionOf(await slice, () => loaders.transactionCount.load({ of: id, args: filter }))
        },
      },
      TransactionConnection,
    ),
    commands: t.connection(
      {
        type: Command,
        description: "What it was asked, is asked, and will be asked, newest first.",
        args: { state: t.arg({ type: [CommandStateWords.type], description: "Only those in one of these states." }) },
        resolve: async ({ id, organisationId }, args, { services: { read }, loaders }) => {
          const filter = given({ state: args.state })
          const page = pageOf(args)
          return connectionOf(
            await (isEndPage(page)
              ? loaders.commands.load({ of: id, args: { filter, page } })
              : read.commands(organisationId, { ...filter, chargePointIds: [id] }, page)),
          )
        },
      },
      CommandConnection,
    ),
    messages: t.connection(
      {
        type: OcppMessage,
        description:
          "The wire, both directions, newest first: every frame where the wire log is on or watched, else only what went wrong.",
        args: {
          action: t.arg.string({ description: "Only requests with this action, and their answers." }),
          uniqueId: t.arg.string({ description: "Only the request with this unique id, and its answer." }),
        },
        resolve: async ({ id }, { action, uniqueId, ...which }, { services: { read }, loaders }) => {
          const filter = given({ action, uniqueId })
          const page = pageOf(which)
          return connectionOf(
            await (isEndPage(page)
              ? loaders.messages.load({ of: id, args: { filter, page } })
              : read.messagesOf(id, filter, page)),
          )
        },
      },
      OcppMessageConnection,
    ),
    strayMessages: t.connection(
      {
        type: StrayMessage,
        description: "Messages about transactions that could not be taken at their word, newest first.",
        resolve: async ({ id }, args, { services: { read }, loaders }) => {
          const page = pageOf(args)
          return connectionOf(
            await (isEndPage(page)
              ? loaders.strayMessages.load({ of: id, args: page })
              : read.strayMessagesOf(id, page)),
          )
        },
      },
      StrayMessageConnection,
    ),
  }),
})

builder.queryFields((t) => ({
  chargePoint: t.field({
    type: ChargePoint,
    nullable: true,
    description: "The charge point with this identity; null where the organisation has none.",
    args: { identity: t.arg.string({ required: true, description: "Letter case counts." }) },
    resolve: async (_root, { identity }, { services, viewer }) => {
      const row = await services.read.chargePointByIdentity(identity)
      return row?.organisationId === viewer.organisationId ? row : null
    },
  }),
  chargePoints: t.connection(
    {
      type: ChargePoint,
      description: "The organisation's charge points in order of their identity.",
      args: { filter: t.arg({ type: ChargePointFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, { services: { read }, viewer }) => {
        const wanted = chargePointFilter(filter)
        const slice = await read.chargePoints(viewer.organisationId, wanted, pageOf(page))
        return connectionOf(slice, () => read.countChargePoints(viewer.organisationId, wanted))
      },
    },
    ChargePointConnection,
  ),
}))
