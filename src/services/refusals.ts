/** Why a service does not do what somebody asked: each edge translates these into its own words. */

/** Nobody has been told of a charge point with this identity in the asker's organisation. */
export class ChargePointNotFound extends Error {
  override readonly name = "ChargePointNotFound"

  constructor(identity: string) {
    super(`no charge point has the identity ${JSON.stringify(identity)}`)
  }
}

/** The organisation has no such idTag. */
export class IdTagNotFound extends Error {
  override readonly name = "IdTagNotFound"

  constructor(idTag: string) {
    super(`no idTag ${JSON.stringify(idTag)} is known`)
  }
}

/** The organisation has no such command. */
export class CommandNotFound extends Error {
  override readonly name = "CommandNotFound"

  constructor() {
    super("no command has this id")
  }
}

/** The organisation has no such API token. */
export class ApiTokenNotFound extends Error {
  override readonly name = "ApiTokenNotFound"

  constructor() {
    super("no API token has this id")
  }
}

/** The organisation has no such firmware image. */
export class FirmwareImageNotFound extends Error {
  override readonly name = "FirmwareImageNotFound"

  constructor() {
    super("no firmware image has this id")
  }
}

/** The organisation has no such firmware campaign. */
export class FirmwareCampaignNotFound extends Error {
  override readonly name = "FirmwareCampaignNotFound"

  constructor() {
    super("no firmware campaign has this id")
  }
}

/** A name that has to be unique is in use. */
export class AlreadyExists extends Error {
  override readonly name = "AlreadyExists"
}

/** One thing that is wrong with what was given. */
export interface InputIssue {
  /** The field, with list positions: `chargingProfile.chargingSchedule.chargingSchedulePeriod[0].limit`. */
  path: string
  message: string
}

/** What was given cannot be used, and why, all of it at once. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput"
  readonly issues: readonly InputIssue[]

  constructor(issues: readonly InputIssue[]) {
    super(issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "))
    this.issues = issues
  }
}

/** Throws InvalidInput with every rule that does not hold. */
export function demand(...rules: [holds: boolean, path: string, message: string][]): void {
  const issues = rules.filter(([holds]) => !holds).map(([, path, message]) => ({ path, message }))
  if (issues.length > 0) throw new InvalidInput(issues)
}
