/** The words in which charge points tell of charging, with their meanings. OCPP 1.6 §7. */
import type {
  ChargePointErrorCode,
  ChargePointStatus,
  ChargingProfileKind,
  ChargingProfilePurpose,
  ChargingRateUnit,
  Location,
  Measurand,
  Phase,
  ReadingContext,
  Reason,
  RecurrencyKind,
  UnitOfMeasure,
  ValueFormat,
} from "../src/ocpp/types.ts"
import { words } from "./words.ts"

type Meanings<Word extends string> = Record<Word, string>

export const ChargePointStatusWords = words("ChargePointStatus", "The status of a connector. OCPP 1.6 §7.7.", {
  Available: "Free for a new user.",
  Preparing: "Somebody is about to charge: a cable, an idTag, but no transaction yet.",
  Charging: "Energy flows.",
  SuspendedEVSE: "The charge point offers no energy.",
  SuspendedEV: "The vehicle takes no energy.",
  Finishing: "The transaction is over; the connector is not free yet.",
  Reserved: "Kept free for somebody.",
  Unavailable: "Taken out of operation.",
  Faulted: "An error prevents charging.",
} satisfies Meanings<ChargePointStatus>)

export const ChargePointErrorCodeWords = words("ChargePointErrorCode", "What is wrong. OCPP 1.6 §7.6.", {
  ConnectorLockFailure: "The connector cannot be locked or unlocked.",
  EVCommunicationError: "Talking with the vehicle failed.",
  GroundFailure: "The ground fault protection acted.",
  HighTemperature: "It is too hot inside.",
  InternalError: "A fault of hardware or software inside.",
  LocalListConflict: "The central system's idTagInfo contradicts the local list.",
  NoError: "Nothing is wrong.",
  OtherError: "Another error; see vendorErrorCode.",
  OverCurrentFailure: "The over-current protection acted.",
  OverVoltage: "The voltage is too high.",
  PowerMeterFailure: "The meter cannot be read.",
  PowerSwitchFailure: "The power switch cannot be controlled.",
  ReaderFailure: "The idTag reader fails.",
  ResetFailure: "A reset could not be performed.",
  UnderVoltage: "The voltage is too low.",
  WeakSignal: "The wireless link is weak.",
} satisfies Meanings<ChargePointErrorCode>)

export const ReasonWords = words("Reason", "Why a transaction ended. OCPP 1.6 §7.36.", {
  EmergencyStop: "The emergency button.",
  EVDisconnected: "The cable was unplugged at the vehicle.",
  HardReset: "A hard reset.",
  Local: "The user, at the charge point.",
  Other: "Any other reason.",
  PowerLoss: "The power failed.",
  Reboot: "A reboot that nobody ordered.",
  Remote: "A remote stop.",
  SoftReset: "A soft reset.",
  UnlockCommand: "The connector was unlocked on command.",
  DeAuthorized: "The idTag is no longer accepted.",
} satisfies Meanings<Reason>)

export const ReadingContextWords = words("ReadingContext", "Why a value was sampled. OCPP 1.6 §7.35.", {
  "Interruption.Begin": "An interruption began.",
  "Interruption.End": "An interruption ended.",
  "Sample.Clock": "The clock's interval.",
  "Sample.Periodic": "The transaction's interval.",
  "Transaction.Begin": "A transaction began.",
  "Transaction.End": "A transaction ended.",
  Trigger: "The central system asked.",
  Other: "Any other reason.",
} satisfies Meanings<ReadingContext>)

export const MeasurandWords = words("Measurand", "What was measured. OCPP 1.6 §7.31.", {
  "Energy.Active.Export.Register": "Register of active energy to the grid.",
  "Energy.Active.Import.Register": "Register of active energy from the grid.",
  "Energy.Reactive.Export.Register": "Register of reactive energy to the grid.",
  "Energy.Reactive.Import.Register": "Register of reactive energy from the grid.",
  "Energy.Active.Export.Interval": "Active energy to the grid within the interval.",
  "Energy.Active.Import.Interval": "Active energy from the grid within the interval.",
  "Energy.Reactive.Export.Interval": "Reactive energy to the grid within the interval.",
  "Energy.Reactive.Import.Interval": "Reactive energy from the grid within the interval.",
  "Power.Active.Export": "Active power from the vehicle.",
  "Power.Active.Import": "Active power to the vehicle.",
  "Power.Offered": "The greatest power offered to the vehicle.",
  "Power.Reactive.Export": "Reactive power from the vehicle.",
  "Power.Reactive.Import": "Reactive power to the vehicle.",
  "Power.Factor": "Power factor of the energy flow.",
  "Current.Import": "Current to the vehicle.",
  "Current.Export": "Current from the vehicle.",
  "Current.Offered": "The greatest current offered to the vehicle.",
  Voltage: "AC RMS supply voltage.",
  Frequency: "Frequency of the supply.",
  Temperature: "Temperature inside the charge point.",
  SoC: "State of charge of the vehicle.",
  RPM: "Speed of the fan.",
} satisfies Meanings<Measurand>)

export const PhaseWords = words(
  "Phase",
  "Which phase was measured; none when all of them as a whole. OCPP 1.6 §7.34.",
  {
    L1: "Line 1.",
    L2: "Line 2.",
    L3: "Line 3.",
    N: "Neutral.",
    "L1-N": "Line 1 to neutral.",
    "L2-N": "Line 2 to neutral.",
    "L3-N": "Line 3 to neutral.",
    "L1-L2": "Line 1 to line 2.",
    "L2-L3": "Line 2 to line 3.",
    "L3-L1": "Line 3 to line 1.",
  } satisfies Meanings<Phase>,
)

export const LocationWords = words("Location", "Where it was measured. OCPP 1.6 §7.30.", {
  Cable: "In the cable.",
  EV: "In the vehicle.",
  Inlet: "Where the grid enters the charge point.",
  Outlet: "Where the charge point feeds the vehicle.",
  Body: "Inside the charge point.",
} satisfies Meanings<Location>)

export const UnitOfMeasureWords = words("UnitOfMeasure", "The unit of a value. OCPP 1.6 §7.45.", {
  Wh: "Watt-hours.",
  kWh: "Kilowatt-hours.",
  varh: "Var-hours.",
  kvarh: "Kilovar-hours.",
  W: "Watts.",
  kW: "Kilowatts.",
  VA: "Volt-amperes.",
  kVA: "Kilovolt-amperes.",
  var: "Vars.",
  kvar: "Kilovars.",
  A: "Amperes.",
  V: "Volts.",
  K: "Kelvin.",
  Celcius: "Degrees Celsius, in the standard's first spelling.",
  Celsius: "Degrees Celsius.",
  Fahrenheit: "Degrees Fahrenheit.",
  Percent: "Per cent.",
} satisfies Meanings<UnitOfMeasure>)

export const ValueFormatWords = words("ValueFormat", "How a value is written. OCPP 1.6 §7.50.", {
  Raw: "A decimal number.",
  SignedData: "A signed block of binary data.",
} satisfies Meanings<ValueFormat>)

export const ChargingProfilePurposeWords = words("ChargingProfilePurpose", "What a profile limits. OCPP 1.6 §7.10.", {
  ChargePointMaxProfile: "The charge point as a whole.",
  TxDefaultProfile: "Any new transaction.",
  TxProfile: "One transaction.",
} satisfies Meanings<ChargingProfilePurpose>)

export const ChargingProfileKindWords = words(
  "ChargingProfileKind",
  "To what a schedule's time refers. OCPP 1.6 §7.9.",
  {
    Absolute: "To a fixed instant.",
    Recurring: "To an instant that comes back each day or week.",
    Relative: "To the start of the transaction.",
  } satisfies Meanings<ChargingProfileKind>,
)

export const RecurrencyKindWords = words(
  "RecurrencyKind",
  "How often a recurring schedule comes back. OCPP 1.6 §7.37.",
  {
    Daily: "Each day.",
    Weekly: "Each week.",
  } satisfies Meanings<RecurrencyKind>,
)

export const ChargingRateUnitWords = words("ChargingRateUnit", "The unit of a schedule's limits. OCPP 1.6 §7.12.", {
  A: "Amperes per phase.",
  W: "Watts in total.",
} satisfies Meanings<ChargingRateUnit>)

export const FirmwareStatusWords = words("FirmwareStatus", "How a firmware update goes. OCPP 1.6 §7.25.", {
  Downloaded: "The image was downloaded.",
  DownloadFailed: "The image could not be downloaded.",
  Downloading: "The image is being downloaded.",
  Idle: "Nothing is going on; only told when asked.",
  InstallationFailed: "The image could not be installed.",
  Installing: "The image is being installed.",
  Installed: "The image is installed.",
})

export const DiagnosticsStatusWords = words("DiagnosticsStatus", "How an upload of diagnostics goes. OCPP 1.6 §7.24.", {
  Idle: "Nothing is going on; only told when asked.",
  Uploaded: "The file was uploaded.",
  UploadFailed: "The file could not be uploaded.",
  Uploading: "The file is being uploaded.",
})

export const ChargingProfileStatusWords = words(
  "ChargingProfileStatus",
  "The answer to SetChargingProfile. OCPP 1.6 §7.11.",
  {
    Accepted: "It holds the profile.",
    Rejected: "It does not take the profile.",
    NotSupported: "It knows no charging profiles.",
  },
)

export const ClearChargingProfileStatusWords = words(
  "ClearChargingProfileStatus",
  "The answer to ClearChargingProfile. OCPP 1.6 §7.21.",
  {
    Accepted: "What was meant is gone.",
    Unknown: "It holds nothing that was meant.",
  },
)

export const GetCompositeScheduleStatusWords = words(
  "GetCompositeScheduleStatus",
  "The answer to GetCompositeSchedule. OCPP 1.6 §7.26.",
  {
    Accepted: "It tells the schedule.",
    Rejected: "It cannot tell.",
  },
)
