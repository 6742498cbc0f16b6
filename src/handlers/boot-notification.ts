import type { Handler } from "./handler.ts"

/** OCPP 1.6 §4.2. */
export const bootNotification: Handler<"BootNotification"> = (request, { from, services }) =>
  services.registration.boot(from, request)
