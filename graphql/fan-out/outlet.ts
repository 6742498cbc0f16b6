import type { Result } from "./result.ts"

/** Where a subscriber's results leave: a transport's side of one subscription. */
export interface Outlet {
  /** Whether the client has to read before more is handed over. */
  readonly isFull: boolean
  /** Takes the first of these, as many as leave well in one piece, and at least one; how many. */
  send(results: readonly Result[]): number
  /** Calls once, when there is room again. */
  onRoom(act: () => void): void
  /** Nothing follows. */
  end(): void
}
