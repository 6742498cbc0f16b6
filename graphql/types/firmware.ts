import { allows } from "../../src/services/viewer.ts"
import { builder } from "../builder.ts"
import { FirmwareImageConnection } from "../connections.ts"
import { FirmwareStatusWords } from "../enums-of-charging.ts"
import { FirmwareUpdateStateWords } from "../enums-of-files.ts"
import { connectionOf, given, pageOf } from "../paging.ts"
import { ChargePoint, Command, FirmwareImage, FirmwareUpdate } from "../refs.ts"

builder.node(FirmwareImage, {
  description:
    "A firmware image that Busbar keeps for charge points to fetch. It comes by POST /files/firmware?name=…&version=…&fileName=… (vendor and model may be added) on the API's address, with the bearer token of an OPERATOR and the image as the body.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.firmwareImage.load(id))),
  fields: (t) => ({
    name: t.exposeString("name", { description: "Its name, for people." }),
    version: t.exposeString("version", { description: "The version it brings." }),
    fileName: t.exposeString("fileName", { description: "The last part of its links." }),
    vendor: t.exposeString("vendor", {
      nullable: true,
      description: "Which vendor's charge points it fits; null: any.",
    }),
    model: t.exposeString("model", { nullable: true, description: "Which model it fits; null: any." }),
    sizeBytes: t.exposeFloat("size", { description: "Its length, bytes." }),
    sha256: t.exposeString("sha256", { description: "Its SHA-256, 64 hexadecimal digits." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it came." }),
    createdBy: t.exposeString("createdBy", { description: "The name of the token that brought it." }),
    downloadPath: t.string({
      nullable: true,
      description: "Where a bearer of OPERATOR fetches it on the API's address; null for others.",
      resolve: ({ id }, _args, { viewer }) => (allows(viewer.role, "Operator") ? `/files/firmware/${id}` : null),
    }),
  }),
})

builder.node(FirmwareUpdate, {
  description: "An UpdateFirmware that somebody asked for, and how it went. OCPP 1.6 §5.19, §4.5.",
  id: { resolve: ({ id }) => id, description: "Globally unique; opaque." },
  loadManyWithoutCache: (ids, { loaders }) => Promise.all(ids.map((id) => loaders.firmwareUpdate.load(id))),
  fields: (t) => ({
    chargePoint: t.field({
      type: ChargePoint,
      nullable: true,
      description: "Which charge point; null where it is deleted.",
      resolve: ({ chargePointId }, _args, { loaders }) => loaders.chargePoint.load(chargePointId),
    }),
    command: t.field({
      type: Command,
      nullable: true,
      description: "The command; null while it is about to be sent.",
      resolve: ({ id }, _args, { loaders }) => loaders.command.load(id),
    }),
    firmwareImage: t.field({
      type: FirmwareImage,
      nullable: true,
      description: "The image; null where the operator named a location, or the image is deleted.",
      resolve: ({ firmwareImageId }, _args, { loaders }) =>
        firmwareImageId === null ? null : loaders.firmwareImage.load(firmwareImageId),
    }),
    location: t.exposeString("location", { description: "Where the charge point is to fetch it, secrets masked." }),
    linkExpiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When Busbar's own link ends; null for another location.",
    }),
    retrieveDate: t.expose("retrieveDate", { type: "DateTime", description: "The earliest moment to fetch it." }),
    requestedAt: t.expose("requestedAt", { type: "DateTime", description: "When it was asked for." }),
    state: t.expose("state", { type: FirmwareUpdateStateWords.type, description: "Whether the charge point took it." }),
    status: t.field({
      type: FirmwareStatusWords.type,
      nullable: true,
      description: "What the charge point last told of it; null: nothing, or a word of its own.",
      resolve: ({ status }) => FirmwareStatusWords.known(status),
    }),
    reportedStatus: t.exposeString("status", {
      nullable: true,
      description: "The same in the charge point's own word.",
    }),
    statusAt: t.expose("statusAt", { type: "DateTime", nullable: true, description: "When it told that." }),
  }),
})

const FirmwareImageFilterInput = builder.inputType("FirmwareImageFilter", {
  description: "Narrows firmware images; what is left out does not narrow.",
  fields: (t) => ({
    search: t.string({ description: "Part of name, version or file name, whatever its letter case." }),
    vendor: t.string({ description: "Those that fit this vendor's charge points, or any." }),
    model: t.string({ description: "Those that fit this model, or any." }),
  }),
})

builder.queryField("firmwareImages", (t) =>
  t.connection(
    {
      type: FirmwareImage,
      description: "The organisation's firmware images, newest first.",
      args: { filter: t.arg({ type: FirmwareImageFilterInput, description: "Which ones; all when left out." }) },
      resolve: async (_root, { filter, ...page }, { services: { read }, viewer }) =>
        connectionOf(await read.firmwareImages(viewer.organisationId, given(filter), pageOf(page))),
    },
    FirmwareImageConnection,
  ),
)
