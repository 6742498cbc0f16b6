/** The object types by name, so that each type's file can speak of the others. */
import type { CampaignState, ChargePointState, DiagnosticsState } from "../src/facts/events.ts"
import type {
  ApiTokenRow,
  CommandRow,
  ConfigurationKeyRow,
  ConnectorRow,
  DeviationRow,
  FirmwareImageRow,
  FirmwareUpdateRow,
  IdTagRow,
  MessageRow,
  MeterValueRow,
  ReportRow,
  ReservationRow,
  StrayMessageRow,
  TransactionRow,
} from "../src/facts/rows.ts"
import type { FirmwareCampaignChargePointRow } from "../src/facts/rows-of-campaigns.ts"
import type { SampledValue } from "../src/ocpp/types.ts"
import type { FleetSums, NodePresence } from "../src/services/ports.ts"
import type { Viewer } from "../src/services/viewer.ts"
import { builder } from "./builder.ts"

/** The newest value of one measurand, phase and location at a connector. */
export interface LatestReading {
  reading: MeterValueRow
  sampledValue: SampledValue
}

export const ChargePoint = builder.objectRef<ChargePointState>("ChargePoint")
export const Connector = builder.objectRef<ConnectorRow>("Connector")
export const Transaction = builder.objectRef<TransactionRow>("Transaction")
export const MeterValue = builder.objectRef<MeterValueRow>("MeterValue")
export const SampledValueRef = builder.objectRef<SampledValue>("SampledValue")
export const LatestReadingRef = builder.objectRef<LatestReading>("LatestReading")
export const IdTag = builder.objectRef<IdTagRow>("IdTag")
export const Command = builder.objectRef<CommandRow>("Command")
export const ConfigurationKey = builder.objectRef<ConfigurationKeyRow>("ConfigurationKey")
export const Deviation = builder.objectRef<DeviationRow>("Deviation")
export const OcppMessage = builder.objectRef<MessageRow>("OcppMessage")
export const StrayMessage = builder.objectRef<StrayMessageRow>("StrayMessage")
export const Reservation = builder.objectRef<ReservationRow>("Reservation")
export const FirmwareReport = builder.objectRef<ReportRow>("FirmwareReport")
export const DiagnosticsReport = builder.objectRef<ReportRow>("DiagnosticsReport")
export const FirmwareImage = builder.objectRef<FirmwareImageRow>("FirmwareImage")
export const FirmwareUpdate = builder.objectRef<FirmwareUpdateRow>("FirmwareUpdate")
export const FirmwareCampaign = builder.objectRef<CampaignState>("FirmwareCampaign")
export const FirmwareCampaignChargePoint =
  builder.objectRef<FirmwareCampaignChargePointRow>("FirmwareCampaignChargePoint")
export const DiagnosticsRef = builder.objectRef<DiagnosticsState>("Diagnostics")
export const FleetSummary = builder.objectRef<FleetSums>("FleetSummary")
export const ViewerRef = builder.objectRef<Viewer>("Viewer")
export const ApiToken = builder.objectRef<ApiTokenRow>("ApiToken")
export const ClusterNode = builder.objectRef<NodePresence>("ClusterNode")
