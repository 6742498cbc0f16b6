/** The typed errors of mutations: each is an Error with a message, and a member of the unions where it can happen. */
import { GraphQLError } from "graphql"
import { CannotCompare } from "../src/facts/charging/limit.ts"
import type { CommandRow, Role } from "../src/facts/rows.ts"
import { BadCursor, BusUnavailable, CursorExpired, Lagging, StoreUnavailable } from "../src/services/ports.ts"
import {
  AlreadyExists,
  ApiTokenNotFound,
  ChargePointNotFound,
  CommandNotFound,
  FirmwareCampaignNotFound,
  FirmwareImageNotFound,
  IdTagNotFound,
  type InputIssue,
  InvalidInput,
} from "../src/services/refusals.ts"
import { builder } from "./builder.ts"
import { Command } from "./refs.ts"
import { enumName } from "./words.ts"

/** The charge point holds no socket: nothing left, and nothing waits. */
export class ChargePointOffline extends Error {
  override readonly name = "ChargePointOffline"
  readonly command: CommandRow

  constructor(command: CommandRow) {
    super("the charge point is not connected")
    this.command = command
  }
}

/** The charge point did not answer in time: the outcome is unknown. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout"
  readonly command: CommandRow

  constructor(command: CommandRow) {
    super("the charge point did not answer in time; whether it acted is unknown")
    this.command = command
  }
}

/** The charge point answered with a CALLERROR. */
export class CallError extends Error {
  override readonly name = "CallError"
  readonly code: string
  readonly description: string
  readonly command: CommandRow

  constructor(code: string, description: string, command: CommandRow) {
    super(`the charge point answered with the CALLERROR ${code}${description ? `: ${description}` : ""}`)
    this.code = code
    this.description = description
    this.command = command
  }
}

/** The state of the charge point or of the command does not permit it. */
export class NotAllowedNow extends Error {
  override readonly name = "NotAllowedNow"
  readonly reason: string

  constructor(reason: string) {
    super(`not now: ${reason}`)
    this.reason = reason
  }
}

/** Something that the answer needs is away for the moment; a later try may succeed. */
export class Unavailable extends Error {
  override readonly name = "Unavailable"
}

/** The viewer's role does not reach. */
export class Forbidden extends Error {
  override readonly name = "Forbidden"

  constructor(needed: Role) {
    super(`this needs a token of role ${enumName(needed)}`)
  }
}

const ErrorInterface = builder.interfaceRef<Error>("Error").implement({
  description: "Why something was not done.",
  fields: (t) => ({ message: t.exposeString("message", { description: "For people; may change." }) }),
})

const plain = (name: string, description: string) =>
  builder.objectRef<Error>(name).implement({ description, interfaces: [ErrorInterface], fields: () => ({}) })

const InputIssueRef = builder.objectRef<InputIssue>("InputIssue").implement({
  description: "One thing that is wrong with an input.",
  fields: (t) => ({
    path: t.exposeString("path", {
      description: "The field, with list positions: key[0]. Empty for the input as a whole.",
    }),
    message: t.exposeString("message", { description: "What is wrong with it." }),
  }),
})

/** The error types by the `name` of the errors they show. */
export const errorTypes = {
  ChargePointNotFound: plain("ChargePointNotFound", "The organisation has no charge point with this identity."),
  IdTagNotFound: plain("IdTagNotFound", "The organisation has no such idTag."),
  CommandNotFound: plain("CommandNotFound", "The organisation has no such command."),
  ApiTokenNotFound: plain("ApiTokenNotFound", "The organisation has no such API token."),
  FirmwareImageNotFound: plain("FirmwareImageNotFound", "The organisation has no such firmware image."),
  FirmwareCampaignNotFound: plain("FirmwareCampaignNotFound", "The organisation has no such firmware campaign."),
  AlreadyExists: plain("AlreadyExists", "A name that has to be unique is in use."),
  CannotCompare: plain(
    "CannotCompare",
    "Limits in A and in W meet, and the charge point's voltageV and phases are not both stated: see updateChargePoint.",
  ),
  Unavailable: plain(
    "Unavailable",
    "Something that the answer needs is away for the moment; a later try may succeed. What it was asked to do may be done or not: with an idempotencyKey a retry never sends an operation twice.",
  ),
  Forbidden: plain("Forbidden", "The viewer's role does not reach."),
  InvalidInput: builder.objectRef<InvalidInput>("InvalidInput").implement({
    description: "The input cannot be used; for an operation: the official schema of OCPP 1.6 forbids it.",
    interfaces: [ErrorInterface],
    fields: (t) => ({
      issues: t.field({
        type: [InputIssueRef],
        description: "Everything that is wrong.",
        resolve: ({ issues }) => [...issues],
      }),
    }),
  }),
  ChargePointOffline: builder.objectRef<ChargePointOffline>("ChargePointOffline").implement({
    description: "The charge point is not connected: nothing was sent.",
    interfaces: [ErrorInterface],
    fields: (t) => ({
      command: t.expose("command", { type: Command, description: "The command as it is kept, state FAILED." }),
    }),
  }),
  CallTimeout: builder.objectRef<CallTimeout>("CallTimeout").implement({
    description:
      "The charge point did not answer in time; whether it acted is unknown. It is never sent again by itself.",
    interfaces: [ErrorInterface],
    fields: (t) => ({
      command: t.expose("command", { type: Command, description: "The command as it is kept, state TIMED_OUT." }),
    }),
  }),
  CallError: builder.objectRef<CallError>("CallError").implement({
    description: "The charge point answered with a CALLERROR. OCPP-J 1.6 §4.2.3.",
    interfaces: [ErrorInterface],
    fields: (t) => ({
      code: t.exposeString("code", { description: "The error code, in the charge point's own spelling." }),
      description: t.exposeString("description", { description: "The charge point's own words; may be empty." }),
      command: t.expose("command", { type: Command, description: "The command as it is kept, state FAILED." }),
    }),
  }),
  NotAllowedNow: builder.objectRef<NotAllowedNow>("NotAllowedNow").implement({
    description: "The state of the charge point, or of the command, does not permit it: nothing was done.",
    interfaces: [ErrorInterface],
    fields: (t) => ({ reason: t.exposeString("reason", { description: "What stands against it." }) }),
  }),
}

export type ErrorName = keyof typeof errorTypes

/** An error as a member of a union: GraphQL would take the error itself, returned, for one that was thrown. */
export class Refusal {
  readonly name: string
  readonly message: string

  constructor(error: Error) {
    Object.assign(this, error)
    this.name = error.name
    this.message = error.message
  }
}

/** The error as its type knows it, or undefined where nobody foresaw it. */
export function typedError(cause: unknown): (Error & { name: ErrorName }) | undefined {
  if (cause instanceof StoreUnavailable) return new Unavailable("the store is away for the moment")
  if (cause instanceof BusUnavailable) return new Unavailable("the nodes cannot reach each other for the moment")
  const isTyped =
    cause instanceof ChargePointNotFound ||
    cause instanceof IdTagNotFound ||
    cause instanceof CommandNotFound ||
    cause instanceof ApiTokenNotFound ||
    cause instanceof FirmwareImageNotFound ||
    cause instanceof FirmwareCampaignNotFound ||
    cause instanceof AlreadyExists ||
    cause instanceof CannotCompare ||
    cause instanceof InvalidInput ||
    cause instanceof ChargePointOffline ||
    cause instanceof CallTimeout ||
    cause instanceof CallError ||
    cause instanceof NotAllowedNow ||
    cause instanceof Unavailable ||
    cause instanceof Forbidden
  return isTyped ? cause : undefined
}

const CODES: Partial<Record<ErrorName, string>> = {
  ChargePointNotFound: "NOT_FOUND",
  FirmwareCampaignNotFound: "NOT_FOUND",
  InvalidInput: "BAD_USER_INPUT",
  Unavailable: "UNAVAILABLE",
  Forbidden: "FORBIDDEN",
}

/** What a query or a subscription tells of a failure: a GraphQLError with a code; undefined where nobody foresaw it. */
export function codedError(cause: unknown): GraphQLError | undefined {
  if (cause instanceof CursorExpired) return coded(cause.message || "the cursor is no longer kept", "CURSOR_EXPIRED")
  if (cause instanceof Lagging) return coded(cause.message || "the changes came faster than they were read", "LAGGING")
  if (cause instanceof BadCursor) return coded(cause.message, "BAD_USER_INPUT")
  const typed = typedError(cause)
  const code = typed && CODES[typed.name]
  return typed && code ? coded(typed.message, code) : undefined
}

/** A GraphQLError that reaches the client as it is. */
export const coded = (message: string, code: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } })

/** Nobody who is known asks. */
export const unauthenticated = (): GraphQLError =>
  coded("a valid token is needed: Authorization: Bearer <token>", "UNAUTHENTICATED")
