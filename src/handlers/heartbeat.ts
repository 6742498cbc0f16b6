import type { Handler } from "./handler.ts"

/** Tells the time and touches no disk: that somebody called is noted with every frame. OCPP 1.6 §4.6. */
export const heartbeat: Handler<"Heartbeat"> = async (_request, { services }) => ({
  currentTime: new Date(services.clock.now()).toISOString(),
})
