/** What a confirmation teaches about a charge point's configuration keys. OCPP 1.6 §5.3, §5.8, §7.29. */
import type { ConfigurationKeyRow } from "../facts/rows.ts"
import type { ConfirmationOf, RequestOf } from "../ocpp/action.ts"
import type { FromCentralSystem } from "../ocpp/index.ts"
import { isSecretKey, maskPayload } from "./masking.ts"

/** A command and its confirmation, unmasked. */
export interface Answered {
  organisationId: string
  chargePointId: string
  action: string
  request: unknown
  confirmation: unknown
  /** When the confirmation came, ms. */
  at: number
}

/** The keys to be taken over; none for most actions. The value of a secret key is not kept. */
export function configurationKeysFrom(answered: Answered): ConfigurationKeyRow[] {
  switch (answered.action) {
    case "GetConfiguration":
      return reported(answered, answered.confirmation as ConfirmationOf<FromCentralSystem["GetConfiguration"]>)
    case "ChangeConfiguration":
      return changed(
        answered,
        answered.request as RequestOf<FromCentralSystem["ChangeConfiguration"]>,
        answered.confirmation as ConfirmationOf<FromCentralSystem["ChangeConfiguration"]>,
      )
    default:
      return []
  }
}

function reported(
  { organisationId, chargePointId, at }: Answered,
  { configurationKey = [], unknownKey = [] }: ConfirmationOf<FromCentralSystem["GetConfiguration"]>,
): ConfigurationKeyRow[] {
  const common = { organisationId, chargePointId, rebootRequired: false, reportedAt: at }
  return [
    ...configurationKey.map(({ key, value, readonly }) => ({
      ...common,
      key,
      value: kept(key, value),
      readonly,
      known: true,
    })),
    ...unknownKey.map((key) => ({ ...common, key, value: null, readonly: false, known: false })),
  ]
}

function changed(
  { organisationId, chargePointId, at }: Answered,
  { key, value }: RequestOf<FromCentralSystem["ChangeConfiguration"]>,
  { status }: ConfirmationOf<FromCentralSystem["ChangeConfiguration"]>,
): ConfigurationKeyRow[] {
  if (status !== "Accepted" && status !== "RebootRequired") return []
  const rebootRequired = status === "RebootRequired"
  return [
    {
      organisationId,
      chargePointId,
      key,
      value: kept(key, value),
      readonly: false,
      known: true,
      rebootRequired,
      reportedAt: at,
    },
  ]
}

const kept = (key: string, value: string | undefined): string | null =>
  value === undefined || isSecretKey(key) ? null : String(maskPayload(value))
