/** One node as a program: reads the environment, starts, says where it is, and stops when told to. */
import { startApp } from "./app.ts"
import { BadConfig, helpText, readConfig } from "./config.ts"
import { startDemo } from "./demo.ts"
import { createLog } from "./log.ts"
import { welcomeText } from "./welcome.ts"

/** Fires once, at the first signal to stop; the second of a pair (a group's and a forwarded one) is the same wish. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal))
  })
}

async function main(): Promise<void> {
  if (process.argv.includes("--help") || process.argv.includes("-h")) {
    process.stdout.write(helpText())
    return
  }
  const stopped = stopSignal()
  const config = readConfig(process.env)
  const log = createLog(config.LOG_LEVEL)
  await using app = await startApp(config, log)
  process.stdout.write(
    welcomeText(config, {
      ocppPort: app.ocppPort ?? config.OCPP_PORT,
      httpPort: app.httpPort ?? config.HTTP_PORT,
      firstToken: app.firstToken,
    }),
  )
  await using _demo = process.argv.includes("--demo") ? await startDemo(app, log) : undefined
  log.info({ signal: await stopped }, "stopping")
}

try {
  await main()
} catch (cause) {
  const message = cause instanceof Error ? cause.message : String(cause)
  process.stderr.write(`busbar: ${message}\n`)
  if (!(cause instanceof BadConfig) && process.env["LOG_LEVEL"] === "debug")
    process.stderr.write(`${String((cause as Error).stack)}\n`)
  process.exitCode = 1
}
