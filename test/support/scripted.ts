/** A charge point that does exactly what a test says, over a client that is not ours, already booted. */
import type { ScriptedChargePoint } from "../../bench/conformance/stage.ts"
import { connectStrictChargePoint } from "../../bench/conformance/strict-charge-point.ts"
import { Transcript } from "../../bench/conformance/transcript.ts"
import { createChargePoint, graphqlOver } from "./graphql.ts"
import type { TestNode } from "./node.ts"

/** How long the node has for an answer or an expected CALL, and how long the charge point listens at the end, ms. */
const PATIENCE_MS = 5_000
const QUIET_MS = 50

/** Makes the charge point, connects it and has it accepted. */
export async function bootedChargePoint(
  { ocppUrl, graphqlUrl, token }: Pick<TestNode, "ocppUrl" | "graphqlUrl" | "token">,
  identity: string,
): Promise<ScriptedChargePoint> {
  await createChargePoint(graphqlOver(graphqlUrl, token), { identity })
  const chargePoint = await connectStrictChargePoint({
    url: ocppUrl,
    identity,
    patienceMs: PATIENCE_MS,
    quietMs: QUIET_MS,
    transcript: new Transcript(),
  })
  await chargePoint.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" })
  return chargePoint
}
