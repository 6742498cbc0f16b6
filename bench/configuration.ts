/** The configuration keys of a charge point: the standard's own, with type and access. OCPP 1.6 §9. */
import { MEASURANDS, type Measurand } from "./meter.ts"

type Kind = "boolean" | "integer" | "measurands" | "text"
interface Key {
  value: string
  kind: Kind
  /** `R`: reported, not changed. `W`: changed, never reported. */
  access: "R" | "RW" | "W"
  /** Takes effect at the next start. */
  reboot?: true
}

const MAX_MEASURANDS = 9
const SAMPLED = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
const REGISTER = "Energy.Active.Import.Register"

const readOnly = (value: string, kind: Kind = "text"): Key => ({ value, kind, access: "R" })
const integer = (value: number): Key => ({ value: String(value), kind: "integer", access: "RW" })
const boolean = (value: boolean): Key => ({ value: String(value), kind: "boolean", access: "RW" })
const measurands = (value: string): Key => ({ value, kind: "measurands", access: "RW" })
const text = (value: string): Key => ({ value, kind: "text", access: "RW" })

const keys = {
  AllowOfflineTxForUnknownId: boolean(true),
  AuthorizationCacheEnabled: boolean(true),
  AuthorizeRemoteTxRequests: boolean(true),
  BlinkRepeat: integer(3),
  ClockAlignedDataInterval: integer(0),
  ConnectionTimeOut: integer(60),
  ConnectorPhaseRotation: { ...text("0.RST,1.RST"), reboot: true },
  ConnectorPhaseRotationMaxLength: readOnly("10"),
  GetConfigurationMaxKeys: readOnly("50"),
  HeartbeatInterval: integer(300),
  LightIntensity: integer(80),
  LocalAuthorizeOffline: boolean(true),
  LocalPreAuthorize: boolean(false),
  MaxEnergyOnInvalidId: integer(0),
  MessageTimeout: integer(30),
  MeterValuesAlignedData: measurands(REGISTER),
  MeterValuesAlignedDataMaxLength: readOnly(String(MAX_MEASURANDS)),
  MeterValuesSampledData: measurands(SAMPLED),
  MeterValuesSampledDataMaxLength: readOnly(String(MAX_MEASURANDS)),
  MeterValueSampleInterval: integer(60),
  MinimumStatusDuration: integer(0),
  NumberOfConnectors: readOnly("1"),
  ResetRetries: integer(1),
  StopTransactionMaxMeterValues: readOnly("2"),
  StopTransactionOnEVSideDisconnect: boolean(true),
  StopTransactionOnInvalidId: boolean(true),
  StopTxnAlignedData: measurands(""),
  StopTxnAlignedDataMaxLength: readOnly(String(MAX_MEASURANDS)),
  StopTxnSampledData: measurands(REGISTER),
  StopTxnSampledDataMaxLength: readOnly(String(MAX_MEASURANDS)),
  SupportedFeatureProfiles: readOnly(
    "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger",
  ),
  TransactionMessageAttempts: integer(3),
  TransactionMessageRetryInterval: integer(20),
  UnlockConnectorOnEVSideDisconnect: boolean(true),
  WebSocketPingInterval: integer(0),
  LocalAuthListEnabled: boolean(true),
  LocalAuthListMaxLength: readOnly("1000"),
  SendLocalListMaxLength: readOnly("250"),
  ReserveConnectorZeroSupported: readOnly("false"),
  ChargeProfileMaxStackLevel: readOnly("10"),
  ChargingScheduleAllowedChargingRateUnit: readOnly("Current,Power"),
  ChargingScheduleMaxPeriods: readOnly("24"),
  MaxChargingProfilesInstalled: readOnly("20"),
  ConnectorSwitch3to1PhaseSupported: readOnly("false"),
  SupportedFileTransferProtocols: readOnly("HTTP,HTTPS"),
  AdditionalRootCertificateCheck: readOnly("false"),
  AuthorizationKey: { value: "", kind: "text", access: "W" },
  CertificateSignedMaxChainSize: readOnly("10000"),
  CertificateStoreMaxLength: readOnly("10"),
  CpoName: text("Busbar"),
  SecurityProfile: readOnly("0"),
} as const satisfies Record<string, Key>

export type KeyName = keyof typeof keys
export type ChangeStatus = "Accepted" | "Rejected" | "RebootRequired" | "NotSupported"

const byLowerCase = new Map(Object.keys(keys).map((name) => [name.toLowerCase(), name as KeyName]))

/** The standard key of this name, whatever its letter case: key names are CiStrings. */
export const keyNamed = (name: string): KeyName | undefined => byLowerCase.get(name.toLowerCase())

export class Configuration {
  readonly #changed = new Map<KeyName, string>()

  /** @param preset values of this very charge point, also of keys that nobody may change */
  constructor(preset: Partial<Record<KeyName, string>> = {}) {
    for (const name in preset) this.set(name as KeyName, preset[name as KeyName] ?? "")
  }

  text(name: KeyName): string {
    return this.#changed.get(name) ?? keys[name].value
  }

  number(name: KeyName): number {
    return Number(this.text(name))
  }

  flag(name: KeyName): boolean {
    return this.text(name).toLowerCase() === "true"
  }

  measurands(name: KeyName): Measurand[] {
    return listed(this.text(name)).filter(isMeasurand)
  }

  /** Sets without asking whether a central system may. */
  set(name: KeyName, value: string): void {
    this.#changed.set(name, value)
  }

  /** ChangeConfiguration.req. OCPP 1.6 §5.3. */
  change(name: string, value: string): ChangeStatus {
    const keyName = keyNamed(name)
    if (!keyName) return "NotSupported"
    const key: Key = keys[keyName]
    if (key.access === "R" || !fits(key.kind, value)) return "Rejected"
    this.set(keyName, value)
    return key.reboot ? "RebootRequired" : "Accepted"
  }

  /** GetConfiguration.conf: the keys asked for, or all. OCPP 1.6 §5.8. */
  report(asked: readonly string[]) {
    const known = (asked.length === 0 ? Object.keys(keys) : asked).map((name) => ({ name, key: keyNamed(name) }))
    const configurationKey = known.flatMap(({ key }) =>
      key === undefined || keys[key].access === "W"
        ? []
        : [{ key, readonly: keys[key].access === "R", value: this.text(key) }],
    )
    const unknownKey = known.filter(({ key }) => key === undefined).map(({ name }) => name)
    return { configurationKey, ...(unknownKey.length > 0 && { unknownKey }) }
  }
}

const listed = (value: string) => (value.trim() === "" ? [] : value.split(",").map((word) => word.trim()))
const isMeasurand = (word: string): word is Measurand => MEASURANDS.some((measurand) => measurand === word)

function fits(kind: Kind, value: string): boolean {
  if (kind === "boolean") return /^(true|false)$/i.test(value)
  if (kind === "integer") return /^\d{1,9}$/.test(value)
  if (kind === "measurands") return listed(value).length <= MAX_MEASURANDS && listed(value).every(isMeasurand)
  return true
}
