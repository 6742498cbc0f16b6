/** One node as a program: reads the environment, starts, says where it is, and stops when told to. */
import { startApp } from "./app.ts"
import { helpText, readConfig } from "./config.ts"
import { startDemo } from "./demo.ts"
import { createLog } from "./log.ts"
import { asksForHelp, runProgram } from "./program.ts"
import { welcomeText } from "./welcome.ts"

await runProgram(async (stopped) => {
  if (asksForHelp(process.argv)) {
    process.stdout.write(helpText())
    return
  }
  const config = readConfig(process.env)
  const log = createLog(config.LOG_LEVEL)
  await using app = await startApp(config, log)
  process.stdout.write(
    welcomeText(config, {
      ocppPort: app.ocppPort ?? config.OCPP_PORT,
      httpPort: app.httpPort,
      firstToken: app.firstToken,
    }),
  )
  await using _demo = process.argv.includes("--demo") ? await startDemo(app, log) : undefined
  log.info({ signal: await stopped }, "stopping")
})
