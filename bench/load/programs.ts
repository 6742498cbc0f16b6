/** Programs that a run starts and ends: each says on its output when it is ready. None outlives the run, however that ends. */
import { stopping } from "./stopping.ts"

export interface Program extends AsyncDisposable {
  readonly pid: number
  /** What the pattern of readiness found. */
  readonly ready: RegExpExecArray
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface ProgramPlan {
  command: readonly string[]
  /** What it finds in its environment beside PATH, HOME and the like. */
  environment?: Record<string, string>
  cwd?: string
  /** What it says when it is ready. */
  ready: RegExp
  /** What ends it in order; SIGTERM unless told. */
  stopSignal?: NodeJS.Signals
  /** What ends it at once, with all that it has started; SIGKILL unless told. */
  endSignal?: NodeJS.Signals
}

/** How long an orderly end may take, ms. */
const PATIENCE_MS = 15_000

/** Where things are, and how Bun keeps memory: every program runs as `npm start` lets a node run. */
function passedOn(): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR } = process.env
  const memory = Object.entries(process.env).filter(([name]) => /^(MIMALLOC|BUN_JSC)_/.test(name))
  return { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...Object.fromEntries(memory) }
}

/**
 * The words that make the kernel send a command this signal when the run is gone, and cannot end it any more. Elsewhere
 * than on Linux there are none, and what does not notice the end of its standard input stays behind a run that was killed.
 */
export const boundToRun = (signal: NodeJS.Signals): string[] =>
  process.platform === "linux" && Bun.which("setpriv") !== null ? ["setpriv", "--pdeathsig", signal] : []

/** Resolves when the program is ready. @throws Error with its output when it ends before; Stopped when the run is to end */
export async function startProgram({
  command,
  environment = {},
  cwd,
  ready,
  stopSignal = "SIGTERM",
  endSignal = "SIGKILL",
}: ProgramPlan): Promise<Program> {
  stopping.throwIfAborted()
  const child = Bun.spawn([...boundToRun(endSignal), ...command], {
    env: { ...passedOn(), ...environment },
    ...(cwd !== undefined && { cwd }),
    // Its end tells a program that the run is gone, however that came.
    stdio: ["pipe", "pipe", "pipe"],
    // A terminal's Ctrl-C is for the run, which ends what it has started.
    detached: true,
  })
  const told = Promise.withResolvers<RegExpExecArray>()
  let output = ""
  // Reads to the end, so that the program never waits for its output to be taken.
  const listen = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      output = (output + decoder.decode(chunk, { stream: true })).slice(-20_000)
      const found = ready.exec(output)
      if (found) told.resolve(found)
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    const impatience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS)
    await child.exited
    clearTimeout(impatience)
  }
  const last = () => void child.kill(endSignal)
  process.prependListener("exit", last) // before its folder goes
  void child.exited.then(() => process.off("exit", last))
  Promise.all([listen(child.stdout), listen(child.stderr), child.exited]).then(
    () => told.reject(new Error(`${command.join(" ")} ended with ${child.exitCode ?? child.signalCode}:\n${output}`)),
    told.reject,
  )
  const stop = () => told.reject(stopping.reason)
  stopping.addEventListener("abort", stop)
  try {
    const found = await told.promise
    return {
      pid: child.pid,
      ready: found,
      kill: () => end("SIGKILL"),
      [Symbol.asyncDispose]: () => end(stopSignal),
    }
  } catch (cause) {
    await end(endSignal)
    throw cause
  } finally {
    stopping.removeEventListener("abort", stop)
  }
}
