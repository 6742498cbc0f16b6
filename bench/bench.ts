/** `bun run bench`: what one server process can carry, beside what the machine can do at all. See bench/README.md. */
import { HELP, readOptions } from "./load/options.ts"
import { asSvg } from "./load/picture.ts"
import { asText, hasWrongs } from "./load/report.ts"
import { runBench } from "./load/run.ts"
import { Stopped } from "./load/stopping.ts"
import { endWith, say, stopSignal } from "./program.ts"

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

await endWith(main, (cause) => cause instanceof Stopped)
