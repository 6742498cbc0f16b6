import type { CommandError } from "../../src/facts/rows.ts"
import { builder } from "../builder.ts"
import { CommandConnection } from "../connections.ts"
import { CommandStateWords } from "../enums.ts"
import { CommandFilterInput, commandFilter } from "../filters.ts"
import { connectionOf, pageOf } from "../paging.ts"
import { ChargePoint, Command } from "../refs.ts"
import { words } from "../words.ts"

const CommandErrorCodeWords = words("CommandErrorCode", "Why a command ended without a confirmation.", {
  Offline: "The charge point was not connected.",
  Timeout: "No answer came in time.",
  CallError: "The charge point answered with a CALLERROR.",
  Lost: "The node stopped while the answer was awaited: the outcome is unknown.",
  Unavailable: "Something it needed was away.",
  InvalidConfirmation: "The charge point's answer could not be understood.",
  Disconnected: "The charge point went away before it answered: the outcome is unknown.",
  Deleted: "The charge point was deleted while the command waited.",
} satisfies Record<CommandError["code"], string>)

const CommandErrorRef = builder.objectRef<CommandError>("CommandError").implement({
  description: "Why a command ended without a confirmation.",
  fields: (t) => ({
    code: t.expose("code", { type: CommandErrorCodeWords.type, description: "The kind of failure." }),
    callErrorCode: t.string({
      nullable: true,
      description: "The error code of the charge point's CALLERROR.",
      resolve: ({ callErrorCode }) => callErrorCode ?? null,
    }),
    description: t.exposeString("description", { description: "In words; may be empty." }),
  }),
})

const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

builder.node(Command, {
  description: "A CALL that somebody asked a charge point to be sent, from the wish to its end.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.command.load(id))),
  fields: (t) => ({
    action: t.exposeString("action", { description: "As OCPP names it: RemoteStartTransaction." }),
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Whom it is for; null where the charge point is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    identity: t.string({
      nullable: true,
      description: "The identity of the charge point, also where that is deleted; null where nobody knows it any more.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.identity.load(chargePointId),
    }),
    state: t.expose("state", { type: CommandStateWords.type, description: "Where it stands." }),
    requestedBy: t.exposeString("requestedBy", { description: "The name of the token that asked." }),
    requestedAt: t.expose("requestedAt", { type: "DateTime", description: "When it was asked for." }),
    sentAt: t.expose("sentAt", {
      type: "DateTime",
      nullable: true,
      description: "When it left for the charge point; null: it never did.",
    }),
    answeredAt: t.expose("answeredAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended, whatever the end.",
    }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "Until when it may wait to be sent; null: it was sent at once or never.",
    }),
    deadlineAt: t.expose("deadlineAt", {
      type: "DateTime",
      description: "By when the charge point has to answer; while it waits, the latest that this may become.",
    }),
    idempotencyKey: t.exposeString("idempotencyKey", {
      nullable: true,
      description: "Under which key a repetition finds this command again.",
    }),
    request: t.field({
      type: "JSON",
      description: "The request on the wire, secrets masked.",
      resolve: ({ request }) => parsed(request),
    }),
    confirmation: t.field({
      type: "JSON",
      nullable: true,
      description: "The charge point's confirmation, secrets masked.",
      resolve: ({ confirmation }) => parsed(confirmation),
    }),
    error: t.field({
      type: CommandErrorRef,
      nullable: true,
      description: "Why it ended without a confirmation.",
      resolve: ({ error }): CommandError | null => (error === null ? null : JSON.parse(error)),
    }),
  }),
})

builder.queryField("commands", (t) =>
  t.connection(
    {
      type: Command,
      description: "The organisation's commands, newest first.",
      args: { filter: t.arg({ type: CommandFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, context) => {
        const { services, viewer } = context
        const wanted = await commandFilter(filter, context)
        return connectionOf(await services.read.commands(viewer.organisationId, wanted, pageOf(page)))
      },
    },
    CommandConnection,
  ),
)
