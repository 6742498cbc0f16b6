/** The certificate's two figures: how long the central system takes to answer. */
import type { ResponseTime } from "./transcript.ts"

/** In ms. */
export interface Figure {
  count: number
  worstMs: number
  p99Ms: number
}

export interface ResponseTimes {
  /** OCPP response timeout: of every CALL of a charge point. */
  ocppResponse: Figure
  /** Response time Authorize: from the leaving of Authorize.req to the arrival of Authorize.conf. */
  authorize: Figure
}

/** What a figure may be at most, ms. */
export const LIMIT_MS = 1000

export function responseTimes(all: readonly ResponseTime[]): ResponseTimes {
  return {
    ocppResponse: figure(all),
    authorize: figure(all.filter(({ action }) => action === "Authorize")),
  }
}

function figure(times: readonly ResponseTime[]): Figure {
  const sorted = times.map(({ ms }) => ms).sort((a, b) => a - b)
  const rank = Math.max(0, Math.ceil(sorted.length * 0.99) - 1)
  const rounded = (ms = 0) => Math.round(ms * 10) / 10
  return { count: sorted.length, worstMs: rounded(sorted.at(-1)), p99Ms: rounded(sorted[rank]) }
}
