import { until } from "../support/until.ts"
import type { Answer, Data, Rig } from "./rig.ts"

export const TRANSPORTS = ["socket", "sse"] as const

export interface Followed {
  /** The next change, or what ended the story. */
  next(): Promise<{ change: Data | undefined; code: string | undefined; done: boolean }>
  /** Gives up a subscription that has not ended; resolves when the server has let go of it. */
  stop(): Promise<void>
}

/** Subscribes to the field and waits until the server holds the subscription open. */
export async function follow(
  rig: Rig,
  token: string,
  subscription: string,
  transport: (typeof TRANSPORTS)[number] = "socket",
): Promise<Followed> {
  const before = rig.subscriptions()
  const answers = rig[transport](token).iterate({ query: `subscription { it: ${subscription} }` })
  let pending: Promise<IteratorResult<unknown>> | undefined = answers.next()
  await until("the subscription is open", () => rig.subscriptions() > before)
  return {
    async next() {
      const { value, done = false } = await (pending ?? answers.next())
      pending = undefined
      const { data, errors } = (value ?? {}) as Answer<{ it: Data }>
      return { change: data?.it, code: errors?.[0]?.extensions?.code, done }
    },
    async stop() {
      const open = rig.subscriptions()
      await answers.return?.()
      await until("the server lets go of it", () => rig.subscriptions() < open)
    },
  }
}

export async function changeOf(followed: Followed): Promise<Data> {
  const { change, code } = await followed.next()
  if (!change) throw new Error(`the story ended: ${code}`)
  return change
}

/** What is told up to and including the change of this kind. */
export async function changesUntil(followed: Followed, kind: string): Promise<Data[]> {
  const told: Data[] = []
  while (told.at(-1)?.["kind"] !== kind) told.push(await changeOf(followed))
  return told
}
