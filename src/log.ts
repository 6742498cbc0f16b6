/** Structured logs: one JSON line per event on standard output, secrets masked. */
import { pino } from "pino"

/** The logger every room is given; `child` adds fields to each of its lines. */
export type Log = Pick<pino.Logger, "trace" | "debug" | "info" | "warn" | "error" | "fatal"> & {
  child(fields: Record<string, unknown>): Log
}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that never reach a log line, whatever object carries them. */
const SECRET_FIELDS = [
  "password",
  "passwordHash",
  "token",
  "tokenHash",
  "secretKey",
  "authorization",
  "AuthorizationKey",
]

/** Opens the process's logger. Lines go to `write`, standard output unless told otherwise. */
export function createLog(level: LogLevel, write?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "***" },
  }
  return write === undefined ? pino(options) : pino(options, write)
}
