import type { Handler } from "./handler.ts"

/** What was told last: of a large fleet many ask within one ms. */
let told = { at: Number.NaN, confirmation: { currentTime: "" } }

/** Tells the time and touches no disk: that somebody called is noted with every frame. OCPP 1.6 §4.6. */
export const heartbeat: Handler<"Heartbeat"> = (_request, { services }) => {
  const at = services.clock.now()
  if (at !== told.at) told = { at, confirmation: { currentTime: new Date(at).toISOString() } }
  return told.confirmation
}
