/** The lists that are read page by page. */
import { builder } from "./builder.ts"
import {
  ChargePoint,
  Command,
  DiagnosticsRef,
  FirmwareCampaign,
  FirmwareCampaignChargePoint,
  FirmwareImage,
  FirmwareUpdate,
  IdTag,
  MeterValue,
  OcppMessage,
  Reservation,
  StrayMessage,
  Transaction,
} from "./refs.ts"

export const ChargePointConnection = builder.connectionObject(
  {
    type: ChargePoint,
    name: "ChargePointConnection",
    description: "Charge points in order of their identity.",
    fields: (t) => ({
      totalCount: t.int({
        description: "How many charge points the whole list has.",
        nullable: true,
        resolve: ({ count }) => count?.() ?? null,
      }),
    }),
  },
  { name: "ChargePointEdge", description: "A charge point in a list." },
)

export const TransactionConnection = builder.connectionObject(
  {
    type: Transaction,
    name: "TransactionConnection",
    description: "Transactions, newest first.",
    fields: (t) => ({
      totalCount: t.int({
        description: "How many transactions the whole list has.",
        nullable: true,
        resolve: ({ count }) => count?.() ?? null,
      }),
    }),
  },
  { name: "TransactionEdge", description: "A transaction in a list." },
)

export const MeterValueConnection = builder.connectionObject(
  { type: MeterValue, name: "MeterValueConnection", description: "Readings in order of their instants, oldest first." },
  { name: "MeterValueEdge", description: "A reading in a list." },
)

export const IdTagConnection = builder.connectionObject(
  { type: IdTag, name: "IdTagConnection", description: "IdTags in their own order." },
  { name: "IdTagEdge", description: "An idTag in a list." },
)

export const CommandConnection = builder.connectionObject(
  { type: Command, name: "CommandConnection", description: "Commands, newest first." },
  { name: "CommandEdge", description: "A command in a list." },
)

export const FirmwareImageConnection = builder.connectionObject(
  { type: FirmwareImage, name: "FirmwareImageConnection", description: "Firmware images, newest first." },
  { name: "FirmwareImageEdge", description: "A firmware image in a list." },
)

export const FirmwareUpdateConnection = builder.connectionObject(
  { type: FirmwareUpdate, name: "FirmwareUpdateConnection", description: "Firmware updates, newest first." },
  { name: "FirmwareUpdateEdge", description: "A firmware update in a list." },
)

export const FirmwareCampaignConnection = builder.connectionObject(
  { type: FirmwareCampaign, name: "FirmwareCampaignConnection", description: "Firmware campaigns, newest first." },
  { name: "FirmwareCampaignEdge", description: "A firmware campaign in a list." },
)

export const FirmwareCampaignProgressConnection = builder.connectionObject(
  {
    type: FirmwareCampaignChargePoint,
    name: "FirmwareCampaignProgressConnection",
    description: "A campaign's charge points, in the order in which they were named.",
  },
  { name: "FirmwareCampaignProgressEdge", description: "A charge point in a campaign's list." },
)

export const DiagnosticsConnection = builder.connectionObject(
  { type: DiagnosticsRef, name: "DiagnosticsConnection", description: "Requests for diagnostics, newest first." },
  { name: "DiagnosticsEdge", description: "A request for diagnostics in a list." },
)

export const OcppMessageConnection = builder.connectionObject(
  { type: OcppMessage, name: "OcppMessageConnection", description: "Frames on the wire, newest first." },
  { name: "OcppMessageEdge", description: "A frame in a list." },
)

export const StrayMessageConnection = builder.connectionObject(
  { type: StrayMessage, name: "StrayMessageConnection", description: "Stray messages, newest first." },
  { name: "StrayMessageEdge", description: "A stray message in a list." },
)

export const ReservationConnection = builder.connectionObject(
  { type: Reservation, name: "ReservationConnection", description: "Reservations, newest first." },
  { name: "ReservationEdge", description: "A reservation in a list." },
)
