/** Charge points that a case has beside the one under test. */
import { check } from "./stage.ts"
import type { Payload, Reply, ScriptedChargePoint, Stage } from "./stage.ts"

/** A further charge point of the case, made with `input`, connected without checks on what it sends. */
export async function another(stage: Stage, name: string, input: Payload = {}): Promise<ScriptedChargePoint> {
  const identity = `${name}-${stage.suffix}`
  await stage.makeChargePoint({ identity, ...input })
  return stage.connect({ identity, strict: false })
}

/** The code of a CALLERROR, or `CALLRESULT`. */
export const code = (reply: Reply): string => ("code" in reply ? reply.code : "CALLRESULT")

/** What a CALL was answered with. @throws CaseFailed for a CALLERROR. */
export function answered(reply: Reply): Payload {
  check("payload" in reply, `answered with CALLERROR ${code(reply)}`)
  return reply.payload
}

/** BootNotification of a further charge point, which must be Accepted. */
export async function bootOf(chargePoint: ScriptedChargePoint): Promise<void> {
  const { status } = await chargePoint.call("BootNotification", BOOT)
  check(status === "Accepted", `BootNotification was answered ${String(status)}`)
}

export const BOOT: Payload = { chargePointVendor: "Busbar", chargePointModel: "Conformance" }
