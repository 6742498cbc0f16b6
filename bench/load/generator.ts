/** The load, in a process of its own: does what `driver.ts` asks for over IPC, and ends with whoever started it. */
import { Acts } from "./acts.ts"

export interface Asked {
  id: number
  act: string
  args: unknown
}

export type Told = { id: number; result: unknown } | { id: number; failure: string }

const acts = new Acts()

async function perform({ id, act, args }: Asked): Promise<Told> {
  try {
    const perform = acts[act as keyof Acts] as (args: unknown) => Promise<unknown>
    return { id, result: await perform.call(acts, args) }
  } catch (cause) {
    return { id, failure: cause instanceof Error ? cause.message : String(cause) }
  }
}

process.on("message", (asked: Asked) => void perform(asked).then((told) => process.send?.(told)))
process.on("disconnect", () => process.exit(0))
