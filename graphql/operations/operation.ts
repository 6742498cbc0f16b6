/** How an operation of OCPP becomes a mutation: its input is what goes on the wire, its result the charge point's own answer. */
import type { InputFieldBuilder, InputRef, InputShape, ObjectRef } from "@pothos/core"
import type { ChargePointRow, CommandRow } from "../../src/facts/rows.ts"
import type { ConfirmationOf } from "../../src/ocpp/action.ts"
import type { FromCentralSystem } from "../../src/ocpp/index.ts"
import { checkOutbound } from "../../src/ocpp/validate.ts"
import { resultOf } from "../../src/services/command-rows.ts"
import type { CommandWish } from "../../src/services/commands.ts"
import type { CommandResult } from "../../src/services/ports.ts"
import { demand, InvalidInput } from "../../src/services/refusals.ts"
import type { Viewer } from "../../src/services/viewer.ts"
import { type BuilderTypes, builder } from "../builder.ts"
import type { Services } from "../context.ts"
import { WhenOfflineWords } from "../enums.ts"
import { CallError, CallTimeout, ChargePointOffline, type ErrorName, NotAllowedNow, Unavailable } from "../errors.ts"
import { mutation } from "../mutation.ts"
import { given } from "../paging.ts"
import { Command } from "../refs.ts"
import { onTheWire } from "./wire.ts"

type Action = keyof FromCentralSystem

/** What a charge point answered, beside the command it answered to. */
export type Confirmed<A extends Action> = { command: CommandRow; confirmation: ConfirmationOf<FromCentralSystem[A]> }

/** The command waits, or goes on without whoever asked. */
class Queued {
  readonly command: CommandRow

  constructor(command: CommandRow) {
    this.command = command
  }
}

const CommandQueued = builder.objectRef<Queued>("CommandQueued").implement({
  description: "The command is taken: it waits for the charge point, or is under way. Follow it with commandChanged.",
  fields: (t) => ({ command: t.expose("command", { type: Command, description: "The command as it is kept." }) }),
})

const DeliveryInput = builder.inputType("DeliveryInput", {
  description: "What becomes of an operation that cannot be sent at once.",
  fields: (t) => ({
    whenOffline: t.field({
      type: WhenOfflineWords.type,
      defaultValue: "Fail",
      description: "Whether it waits for the charge point to be online and accepted.",
    }),
    expiresAt: t.field({
      type: "DateTime",
      description: "With QUEUE: until when it may wait, at most 30 days ahead; the node's default when left out.",
    }),
  }),
})

interface OperationInput {
  chargePoint: string
  delivery?: InputShape<BuilderTypes, typeof DeliveryInput> | null | undefined
  idempotencyKey?: string | null | undefined
  timeoutMs?: number | null | undefined
}

const MAX_TIMEOUT_MS = 600_000

/** The inputs that every operation has beside the standard's own fields. */
export const operationFields = (t: InputFieldBuilder<BuilderTypes, "InputObject">) => ({
  chargePoint: t.string({ required: true, description: "The identity of the charge point that is asked." }),
  delivery: t.field({
    type: DeliveryInput,
    description: "Whether it may wait; when left out it is sent now or never.",
  }),
  idempotencyKey: t.string({
    description:
      "A retry with the same key is the same command: it is not sent again, its answer is given again. For another request or charge point the key is refused.",
  }),
  timeoutMs: t.int({
    description: `How long the charge point has to answer, ms, 1 to ${MAX_TIMEOUT_MS}; the node's default when left out. A command that waited has it from its sending.`,
  }),
})

/** The charge point's answer to an operation: the standard's fields come from `fields`. */
export function confirmationType<A extends Action>(
  action: A,
  fields: Parameters<ReturnType<typeof builder.objectRef<Confirmed<A>>>["implement"]>[0]["fields"],
): ObjectRef<BuilderTypes, Confirmed<A>> {
  const ref = builder.objectRef<Confirmed<A>>(`${action}Confirmation`)
  ref.implement({ description: `The charge point's own answer: ${action}.conf.`, ...(fields && { fields }) })
  builder.objectField(ref, "command", (t) =>
    t.field({ type: Command, description: "The command as it is kept.", resolve: ({ command }) => command }),
  )
  return ref
}

/** Whose services are asked, and of which charge point. */
export interface Asked {
  services: Services
  viewer: Viewer
  chargePoint: ChargePointRow
  idempotencyKey: string | undefined
}

/** To whom a command goes, and what the operator said of its sending. */
export type Whom = Pick<
  CommandWish,
  "chargePointId" | "identity" | "asked" | "delivery" | "idempotencyKey" | "timeoutMs"
>

const ERRORS: readonly ErrorName[] = [
  "ChargePointNotFound",
  "ChargePointOffline",
  "CallTimeout",
  "CallError",
  "NotAllowedNow",
]

/**
 * Declares the mutation that asks a charge point for this action. Only what the official schema forbids is refused here:
 * an operator may ask for what a charge point should refuse.
 */
export function operation<A extends Action, Input extends OperationInput>(
  action: A,
  {
    description,
    input,
    wire = (fields) => fields,
    send,
    errors = [],
    confirmation,
  }: {
    description: string
    input: InputRef<Input>
    /** The standard's own fields where they are not written as the wire has them; may be a promise of them. */
    wire?: (fields: Omit<Input, keyof OperationInput>, asked: Asked) => object
    /** How it is sent where more belongs to it than the CALL. */
    send?: (fields: Omit<Input, keyof OperationInput>, who: Whom, asked: Asked) => Promise<CommandResult>
    /** What can go wrong beside what can with every operation. */
    errors?: readonly ErrorName[]
    confirmation: ObjectRef<BuilderTypes, Confirmed<A>>
  },
): void {
  const name = action.charAt(0).toLowerCase() + action.slice(1)
  mutation<Input, Confirmed<A>, Queued>(name, {
    description,
    role: "Operator",
    input,
    success: confirmation,
    other: { ref: CommandQueued, is: (result) => result instanceof Queued },
    errors: [...ERRORS, ...errors],
    resolve: async (
      { chargePoint: identity, delivery, idempotencyKey, timeoutMs, ...fields },
      { services, viewer },
    ) => {
      demand(
        [
          timeoutMs == null || (timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS),
          "timeoutMs",
          `must be 1 to ${MAX_TIMEOUT_MS}`,
        ],
        [
          idempotencyKey == null || /^.{1,200}$/u.test(idempotencyKey),
          "idempotencyKey",
          "must have 1 to 200 characters",
        ],
      )
      const chargePoint = await services.chargePoints.find(viewer, identity)
      const asked = { services, viewer, chargePoint, idempotencyKey: idempotencyKey ?? undefined }
      const who: Whom = {
        chargePointId: chargePoint.id,
        identity,
        asked: onTheWire(fields),
        ...given({ idempotencyKey, timeoutMs }),
        ...(delivery && {
          delivery: { whenOffline: delivery.whenOffline ?? "Fail", ...given({ expiresAt: delivery.expiresAt }) },
        }),
      }
      if (send) return cameTo(action, await send(fields, who, asked))
      const request = onTheWire(await wire(fields, asked))
      const faults = checkOutbound(action, "request", request)
      if (faults.length > 0) throw new InvalidInput(faults.map(({ path, reason }) => ({ path, message: reason })))
      return cameTo(action, await services.commands.send(viewer, { ...who, chargePoint, action, request }))
    },
  })
}

function cameTo<A extends Action>(action: A, result: CommandResult): Confirmed<A> | Queued {
  switch (result.kind) {
    case "Confirmed":
      return confirmed(action, result.command, result.confirmation)
    case "CallError":
      throw new CallError(result.code, result.description, result.command)
    case "Timeout":
      throw new CallTimeout(result.command)
    case "Offline":
      throw new ChargePointOffline(result.command)
    case "NotAllowedNow":
      throw new NotAllowedNow(result.reason)
    case "Unavailable":
      throw new Unavailable(result.reason)
    case "InvalidInput":
      throw new InvalidInput([{ path: result.path, message: result.reason }])
    case "Queued":
      return new Queued(result.command)
    case "Repeated":
      return cameToBefore(action, result.command)
  }
}

/** What a command that was asked for before has come to by now. */
function cameToBefore<A extends Action>(action: A, command: CommandRow): Confirmed<A> | Queued {
  if (command.state === "Expired") throw new NotAllowedNow("the command expired before it could be sent")
  if (command.state === "Cancelled") throw new NotAllowedNow("the command was cancelled before it was sent")
  const result = resultOf(command)
  return result ? cameTo(action, result) : new Queued(command)
}

/** The confirmation passed the schema of this action before it was recorded. */
const confirmed = <A extends Action>(_action: A, command: CommandRow, confirmation: unknown): Confirmed<A> => ({
  command,
  confirmation: confirmation as Confirmed<A>["confirmation"],
})
