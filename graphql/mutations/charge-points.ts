import type { ChargePointState } from "../../src/facts/events.ts"
import { builder } from "../builder.ts"
import { LeniencyWords, RegistrationStatusWords } from "../enums.ts"
import { mutation } from "../mutation.ts"
import { ChargePoint } from "../refs.ts"

const payload = (name: string, description: string) =>
  builder.objectRef<{ chargePoint: ChargePointState }>(name).implement({
    description,
    fields: (t) => ({ chargePoint: t.expose("chargePoint", { type: ChargePoint, description: "The charge point." }) }),
  })

const CreateChargePointInput = builder.inputType("CreateChargePointInput", {
  description: "A charge point to be announced.",
  fields: (t) => ({
    identity: t.string({
      required: true,
      description: "Its name in the URL it will connect to: 1 to 255 characters, decoded; letter case counts.",
    }),
    password: t.string({
      description:
        "For Basic authentication: 32 to 40 hexadecimal digits are 16 to 20 bytes, anything else of 1 to 128 bytes is text. The standard wants 16 to 20 bytes. OCPP-J 1.6 §6.2.",
    }),
    securityProfile: t.int({
      description:
        "0 none (a password is kept, but not asked for), 1 Basic, 2 Basic over TLS, 3 client certificate; left out: 1 with a password, else 0.",
    }),
    registrationStatus: t.field({
      type: RegistrationStatusWords.type,
      description: "What its BootNotification is answered; ACCEPTED when left out.",
    }),
    leniency: t.field({
      type: LeniencyWords.type,
      description: "What its deviations meet; the node's default when left out.",
    }),
    wireLog: t.boolean({ description: "Whether every frame of it is kept; false when left out." }),
    heartbeatIntervalS: t.int({
      description: "The heartbeat interval it is given, s, 1 to 86400; the node's default when left out.",
    }),
    voltageV: t.float({
      description:
        "The voltage it is supplied with, V, phase to neutral, 1 to 1000; A and W can be compared once it and phases are stated.",
    }),
    phases: t.int({ description: "How many phases it is supplied with, 1 to 3." }),
  }),
})

mutation("createChargePoint", {
  description: "Announces a charge point, so that it may connect.",
  role: "Operator",
  input: CreateChargePointInput,
  success: payload("CreateChargePointPayload", "The charge point was created."),
  errors: ["AlreadyExists"],
  resolve: async ({ identity, ...settings }, { services, viewer }) => ({
    chargePoint: await services.chargePoints.create(viewer, identity, {
      ...settings,
      securityProfile: settings.securityProfile ?? undefined,
      registrationStatus: settings.registrationStatus ?? undefined,
      wireLog: settings.wireLog ?? undefined,
    }),
  }),
})

const UpdateChargePointInput = builder.inputType("UpdateChargePointInput", {
  description:
    "What shall be different about a charge point; what is left out stays as it is, as does what is null where null has no meaning of its own.",
  fields: (t) => ({
    identity: t.string({ required: true, description: "Which charge point." }),
    password: t.string({
      description: "The new password, as in CreateChargePointInput; null takes it away. An open socket is closed.",
    }),
    securityProfile: t.int({
      description: "0 none, 1 Basic, 2 Basic over TLS, 3 client certificate; another one closes an open socket.",
    }),
    registrationStatus: t.field({
      type: RegistrationStatusWords.type,
      description: "Whether it may take part; REJECTED also closes its socket.",
    }),
    leniency: t.field({ type: LeniencyWords.type, description: "What its deviations meet; null: the node's default." }),
    wireLog: t.boolean({ description: "Whether every frame of it is kept." }),
    heartbeatIntervalS: t.int({ description: "The heartbeat interval it is given, s; null: the node's default." }),
    voltageV: t.float({ description: "The voltage it is supplied with, V, phase to neutral; null: not stated." }),
    phases: t.int({ description: "How many phases it is supplied with, 1 to 3; null: not stated." }),
  }),
})

mutation("updateChargePoint", {
  description: "Changes what the operator decides about a charge point.",
  role: "Operator",
  input: UpdateChargePointInput,
  success: payload("UpdateChargePointPayload", "The charge point is as asked."),
  errors: ["ChargePointNotFound"],
  resolve: async ({ identity, ...settings }, { services, viewer }) => ({
    chargePoint: await services.chargePoints.update(viewer, identity, {
      ...settings,
      securityProfile: settings.securityProfile ?? undefined,
      registrationStatus: settings.registrationStatus ?? undefined,
      wireLog: settings.wireLog ?? undefined,
    }),
  }),
})

const DeleteChargePointInput = builder.inputType("DeleteChargePointInput", {
  description: "A charge point to be taken away.",
  fields: (t) => ({ identity: t.string({ required: true, description: "Which charge point." }) }),
})

mutation("deleteChargePoint", {
  description: "Takes a charge point away and closes its socket; its transactions and readings stay.",
  role: "Operator",
  input: DeleteChargePointInput,
  success: payload("DeleteChargePointPayload", "The charge point is gone; it is shown as it last was."),
  errors: ["ChargePointNotFound"],
  resolve: async ({ identity }, { services, viewer }) => ({
    chargePoint: await services.chargePoints.delete(viewer, identity),
  }),
})
