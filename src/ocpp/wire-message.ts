import type { Frame } from "./frame.ts"

/** One frame on the wire, for a log. */
export interface WireMessage {
  readonly direction: "in" | "out"
  readonly at: number // ms since 1970
  readonly text: string
  readonly type: Frame["type"]
  readonly uniqueId: string | undefined
  /** Of the CALL itself, or of the CALL that this frame answers. */
  readonly action: string | undefined
  readonly errorCode: string | undefined
}
