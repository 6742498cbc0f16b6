/** A node that only works, as a program: it takes jobs beside the nodes that hold the sockets and answer the API. */
import { Closing } from "../src/closing.ts"
import { helpText, readConfig } from "../src/config.ts"
import { createLog } from "../src/log.ts"
import { asksForHelp, runProgram } from "../src/program.ts"
import { openResources } from "../src/resources.ts"
import { openWorkers } from "./node.ts"

await runProgram(async (stopped) => {
  if (asksForHelp(process.argv)) {
    process.stdout.write(helpText())
    return
  }
  const config = readConfig({ ...process.env, ROLES: "worker" })
  const log = createLog(config.LOG_LEVEL)
  await using closing = new Closing(log)
  const surroundings = { log, clock: { now: Date.now }, closing }
  const resources = await openResources(config, surroundings)
  await openWorkers(config, resources, surroundings)
  process.stdout.write(
    [
      "",
      "  Busbar is working.",
      "",
      `  Node            ${resources.bus.nodeId}`,
      "  Jobs            commands that wait; who is offline, which commands nobody ends; what is old enough to go",
      "  Data            PostgreSQL, Redis shared",
      "",
      "",
    ].join("\n"),
  )
  log.info({ signal: await stopped }, "stopping")
})
