/** What the programs of this folder have in common: how they say something, are stopped, and end. */

/** Wrong use of the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

/** A line of what a program has to show. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`)

/**
 * Fires at the first signal, and says what is done then. A terminal and whoever started us both send it: what comes soon
 * after is the same wish.
 */
export function stopSignal(doing = "what was made is being removed"): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > 1000) process.exit(130)
      if (!controller.signal.aborted) say(`stopping: ${doing} (again: at once)`)
      controller.abort()
    })
  return controller.signal
}

/**
 * Ends the process with the code that `main` gives. What it throws is said, and ends with 2 where the command line is to
 * blame, else with 1, or with 130 for what `isStop` takes for the answer to a signal.
 */
export async function endWith(main: () => Promise<number>, isStop = (_cause: unknown) => false): Promise<never> {
  try {
    process.exit(await main())
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause)
    if (isStop(cause)) process.exit(130)
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    process.exit(cause instanceof UsageError || code.startsWith("ERR_PARSE_ARGS") ? 2 : 1)
  }
}
