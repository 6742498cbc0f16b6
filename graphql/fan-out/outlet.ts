import type { Result } from "./result.ts"

/** Where a subscriber's results leave: a transport's side of one subscription. */
export interface Outlet {
  /** Whether the client has to read before more is handed over. */
  readonly isFull: boolean
  send(result: Result): void
  /** Calls once, when there is room again. */
  onRoom(act: () => void): void
  /** Nothing follows. */
  end(): void
}
