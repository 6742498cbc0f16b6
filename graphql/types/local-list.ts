import { entriesOf } from "../../src/facts/local-list.ts"
import type { LocalListRow } from "../../src/facts/rows.ts"
import type { AuthorizationData } from "../../src/ocpp/types.ts"
import { builder } from "../builder.ts"
import { AuthorizationStatusWords, UpdateStatusWords } from "../enums-of-local-lists.ts"
import { ChargePoint } from "../refs.ts"

const LocalList = builder.objectRef<LocalListRow>("LocalList")

const LocalListEntry = builder.objectRef<AuthorizationData>("LocalListEntry").implement({
  description: "One idTag of a local authorization list. OCPP 1.6 §7.1.",
  fields: (t) => ({
    idTag: t.exposeString("idTag", { description: "As it was sent." }),
    status: t.field({
      type: AuthorizationStatusWords.type,
      nullable: true,
      description: "Whether it may charge.",
      resolve: ({ idTagInfo }) => AuthorizationStatusWords.known(idTagInfo?.status),
    }),
    expiryDate: t.field({
      type: "DateTime",
      nullable: true,
      description: "From then on it may not.",
      resolve: ({ idTagInfo }) => (idTagInfo?.expiryDate === undefined ? null : Date.parse(idTagInfo.expiryDate)),
    }),
    parentIdTag: t.string({
      nullable: true,
      description: "Its group.",
      resolve: ({ idTagInfo }) => idTagInfo?.parentIdTag ?? null,
    }),
  }),
})

LocalList.implement({
  description:
    "What a charge point is believed to hold as its local authorization list, by its own answers. OCPP 1.6 §3.5.",
  fields: (t) => ({
    listVersion: t.exposeInt("listVersion", {
      nullable: true,
      description: "0: empty; −1: the charge point has no local lists; null: not known for sure.",
    }),
    toldAt: t.expose("toldAt", {
      type: "DateTime",
      nullable: true,
      description: "When it last told or accepted a version.",
    }),
    entries: t.field({
      type: [LocalListEntry],
      nullable: true,
      description: "In order of idTag; null where they are not known, as for a list that somebody else sent.",
      resolve: entriesOf,
    }),
    lastStatus: t.field({
      type: UpdateStatusWords.type,
      nullable: true,
      description: "Its newest answer to SendLocalList.",
      resolve: ({ lastStatus }) => UpdateStatusWords.known(lastStatus),
    }),
    lastStatusAt: t.expose("lastStatusAt", { type: "DateTime", nullable: true, description: "When it gave it." }),
    fullUpdateAdvised: t.boolean({
      description: "What it holds is not known, or it failed to take an update: a full list would settle it.",
      resolve: ({ entries, lastStatus }) => entries === null || lastStatus === "Failed",
    }),
  }),
})

builder.objectField(ChargePoint, "localList", (t) =>
  t.field({
    type: LocalList,
    nullable: true,
    description: "Its local authorization list; null as long as nobody asked for it or sent one.",
    resolve: ({ id }, _args, { loaders }) => loaders.localList.load(id),
  }),
)
