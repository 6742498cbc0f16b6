import { builder } from "../builder.ts"
import { ConfigurationKey } from "../refs.ts"

builder.objectType(ConfigurationKey, {
  description: "A configuration key as the charge point last reported or accepted it. OCPP 1.6 §7.29.",
  fields: (t) => ({
    key: t.exposeString("key", { description: "Its name." }),
    value: t.exposeString("value", { nullable: true, description: "Its value, always text; null where it has none." }),
    readonly: t.exposeBoolean("readonly", { description: "Whether it can only be read." }),
    known: t.exposeBoolean("known", { description: "False where the charge point was asked and does not know it." }),
    rebootRequired: t.exposeBoolean("rebootRequired", {
      description: "Whether a new value waits for a reboot to count.",
    }),
    reportedAt: t.expose("reportedAt", { type: "DateTime", description: "When the charge point told." }),
  }),
})
