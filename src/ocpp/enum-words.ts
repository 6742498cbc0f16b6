// Words that Charge Points write where the standard has an enumeration, and what is made of them.

/**
 * Known wrong words and what they mean, by message and field, or by field alone. `null` leaves the field out: the standard has
 * no word for it. Letter case, blanks, dots, dashes and underscores make no difference and need no entry.
 */
export const enumWords: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  errorCode: {
    Error: "OtherError",
    None: "NoError",
    Ok: "NoError",
    GroundFault: "GroundFailure",
    Mode3Error: "EVCommunicationError", // its name before 1.6
    OverCurrent: "OverCurrentFailure",
    OverTemperature: "HighTemperature",
  },
  // OCPP 1.5 knew only that a connector is in use.
  "StatusNotification.req.status": { Occupied: "Preparing" },
  unit: {
    Hz: null, // Hertz goes without saying: Frequency has no unit
    Hertz: null,
    RPM: null,
    C: "Celsius",
    "°C": "Celsius",
    DegC: "Celsius",
    F: "Fahrenheit",
    "°F": "Fahrenheit",
    Kelvin: "K",
    "%": "Percent",
    Percentage: "Percent",
    Volt: "V",
    Volts: "V",
    Amp: "A",
    Amps: "A",
    Ampere: "A",
    Watt: "W",
    Watts: "W",
  },
  context: {
    Sample: "Sample.Periodic",
    Periodic: "Sample.Periodic",
    Clock: "Sample.Clock",
    Begin: "Transaction.Begin",
    End: "Transaction.End",
    Triggered: "Trigger",
  },
  reason: {
    EVDisconnect: "EVDisconnected",
    Deauthorised: "DeAuthorized",
    UnlockConnector: "UnlockCommand",
    PowerFailure: "PowerLoss",
  },
  // The two kinds of upload name their failure differently.
  "DiagnosticsStatusNotification.req.status": { UploadFailure: "UploadFailed" },
  "LogStatusNotification.req.status": { UploadFailed: "UploadFailure", UploadError: "UploadFailure" },
  // The steps of a signed update, reported in the message of a plain one.
  "FirmwareStatusNotification.req.status": {
    DownloadScheduled: "Downloading",
    DownloadPaused: "Downloading",
    SignatureVerified: "Downloaded",
    InstallScheduled: "Downloaded",
    InstallRebooting: "Installing",
    InstallFailed: "InstallationFailed",
    InstallVerificationFailed: "InstallationFailed",
    InvalidSignature: "InstallationFailed",
  },
  "GetLog.conf.status": { AcceptedCancelled: "AcceptedCanceled" },
  "SignedUpdateFirmware.conf.status": { AcceptedCancelled: "AcceptedCanceled" },
  "UnlockConnector.conf.status": { Accepted: "Unlocked", Rejected: "UnlockFailed" }, // the words of OCPP 1.5
}

// What stands for a word that nobody knows, where the rest of the message keeps its meaning. `null`: nothing does.
const unknownWords: Readonly<Record<string, string | null>> = {
  errorCode: "OtherError",
  context: "Other",
  reason: "Other",
  location: null,
  format: null,
  unit: null,
}

const bare = (word: string) => word.toLowerCase().replace(/[\s_.-]/g, "")

/** The word that was meant, `null` when the standard has none for it; undefined when nobody can tell. */
export function meantWord(
  options: readonly string[],
  path: string,
  field: string,
  written: string,
): string | null | undefined {
  const wanted = bare(written)
  const same = options.find((option) => bare(option) === wanted)
  if (same !== undefined) return same
  const table = enumWords[path] ?? enumWords[field] ?? {}
  for (const [wrong, right] of Object.entries(table)) if (bare(wrong) === wanted) return right
  return undefined
}

/** What to take for a word that nobody knows, `null` when the field is to be left out; undefined when there is no doing without. */
export const unknownWord = (field: string): string | null | undefined => unknownWords[field]

/**
 * Whether a sampled value would say something else without these of its fields, because their defaults do: a value with an
 * unknown measurand is no energy register, one of an unknown phase is no total, and an energy without its unit is read as Wh.
 */
export function changesMeaning(lost: readonly string[], entry: Readonly<Record<string, unknown>>): boolean {
  const { measurand } = entry
  const isEnergy = measurand === undefined || (typeof measurand === "string" && measurand.startsWith("Energy."))
  return lost.includes("measurand") || lost.includes("phase") || (lost.includes("unit") && isEnergy)
}
