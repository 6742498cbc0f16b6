/** What the programs of a node have in common: how they hear that they are to stop, and how they say why they cannot run. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Runs a program and tells it when to stop: `stopped` resolves with the first signal; the second of a pair (a group's and
 * a forwarded one) is the same wish. What it throws is told in one line and makes the exit code 1.
 */
export async function runProgram(program: (stopped: Promise<NodeJS.Signals>) => Promise<void>): Promise<void> {
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal))
  })
  try {
    await program(stopped)
  } catch (cause) {
    const story = cause instanceof Error && process.env["LOG_LEVEL"] === "debug" ? cause.stack : undefined
    process.stderr.write(`busbar: ${story ?? (cause instanceof Error ? cause.message : String(cause))}\n`)
    process.exitCode = 1
  }
}

/** Whether the person who started the program only wants to know how. */
export const asksForHelp = (argv: readonly string[]): boolean => argv.includes("--help") || argv.includes("-h")
