/** A process that writes as fast as it can and says what was acknowledged, to be killed in the middle of it. */
import { join } from "node:path"
import { createLog } from "../../../src/log.ts"
import { openStore, type StoreOptions } from "../../../src/store/index.ts"
import { chargePointRow } from "../../support/charging.ts"

export interface WritingProcess extends AsyncDisposable {
  /** Resolves when so many charge points were acknowledged. */
  acknowledged(count: number): Promise<void>
  /** Kills the process as `kill -9` does; gives the ids of all charge points whose creation was acknowledged. */
  kill(): Promise<string[]>
}

/** Starts the process on a place where no store is open. */
export async function startWriting({ url, dataDir }: StoreOptions): Promise<WritingProcess> {
  const program = join(import.meta.dir, "writing-process.ts")
  const child = Bun.spawn([process.execPath, program, JSON.stringify({ url, dataDir })], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  const ids = () => text.split("\n").slice(0, -1)
  const readOn = async () => {
    const { done, value } = await output.read()
    text += value ?? ""
    return !done
  }
  return {
    async acknowledged(count) {
      while (ids().length < count) if (!(await readOn())) throw new Error("the writing process ended by itself")
    },
    async kill() {
      child.kill("SIGKILL")
      await child.exited
      while (await readOn());
      return ids()
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await child.exited
    },
  }
}

if (import.meta.main) {
  const place: Pick<StoreOptions, "url" | "dataDir"> = JSON.parse(process.argv[2] ?? "")
  const store = await openStore({ ...place, log: createLog("silent"), now: Date.now })
  let next = 0
  const writeOn = async () => {
    for (;;) {
      const id = String(next++)
      await store.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id }) })
      process.stdout.write(`${id}\n`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, writeOn))
}
