import type * as v from "valibot"

/** Who may send the CALL of an action. DataTransfer is the one that goes both ways. */
export type Sender = "charge-point" | "central-system" | "both"

/** The schema of one payload: what a request or a confirmation may hold. */
export type PayloadSchema = v.GenericSchema<unknown, object>

/** One operation of OCPP 1.6: its name on the wire, who asks, what is asked and what is answered. */
export interface Action<
  Name extends string = string,
  From extends Sender = Sender,
  Request extends PayloadSchema = PayloadSchema,
  Confirmation extends PayloadSchema = PayloadSchema,
> {
  readonly name: Name
  readonly from: From
  readonly request: Request
  readonly confirmation: Confirmation
}

/** Declares an action. Its types are derived from the two schemas, see `RequestOf` and `ConfirmationOf`. */
export function action<
  const Name extends string,
  const From extends Sender,
  Request extends PayloadSchema,
  Confirmation extends PayloadSchema,
>(declaration: Action<Name, From, Request, Confirmation>): Action<Name, From, Request, Confirmation> {
  return declaration
}

/** The payload of the CALL. */
export type RequestOf<A extends Action> = v.InferOutput<A["request"]>

/** The payload of the CALLRESULT. */
export type ConfirmationOf<A extends Action> = v.InferOutput<A["confirmation"]>
