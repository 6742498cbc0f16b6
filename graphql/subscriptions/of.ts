import type { Context } from "../context.ts"

/** The id of the charge point that a subscription is narrowed to, if it is. @throws ChargePointNotFound */
export async function chargePointIdOf(
  identity: string | null | undefined,
  { services, viewer }: Context,
): Promise<string | undefined> {
  return identity == null ? undefined : (await services.chargePoints.find(viewer, identity)).id
}
