/** `bun run bench`: what one server process can carry, beside what the machine can do at all. See bench/README.md. */
import { Stopped } from "./load/driver.ts"
import { HELP, readOptions, UsageError } from "./load/options.ts"
import { asSvg } from "./load/picture.ts"
import { asText, hasWrongs } from "./load/report.ts"
import { runBench } from "./load/run.ts"

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Fires at the first signal. A terminal and whoever started us both send it: what comes soon after is the same wish. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let firstAt: number | undefined
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > 1000) process.exit(130)
      if (!controller.signal.aborted) say("stopping: what was made is being removed (again: at once)")
      controller.abort()
    })
  return controller.signal
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options.help) {
    say(HELP)
    return 0
  }
  const record = await runBench(options, say, stopSignal())
  if (options.json !== undefined) await Bun.write(options.json, `${JSON.stringify(record, undefined, 2)}\n`)
  if (options.svg !== undefined) await Bun.write(options.svg, asSvg(record))
  say(asText(record))
  return hasWrongs(record) ? 1 : 0
}

try {
  process.exit(await main())
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause)
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (cause instanceof Stopped) process.exit(130)
  process.exit(cause instanceof UsageError || code.startsWith("ERR_PARSE_ARGS") ? 2 : 1)
}
