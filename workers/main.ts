/** A node that only works, as a program: it takes jobs beside the nodes that hold the sockets and answer the API. */
import { Closing } from "../src/closing.ts"
import { helpText, readConfig } from "../src/config.ts"
import { openNodeFiles } from "../src/files/node.ts"
import { createLog } from "../src/log.ts"
import { asksForHelp, runProgram } from "../src/program.ts"
import { openResources } from "../src/resources.ts"
import { secretKey } from "../src/secret-key.ts"
import { createCommands } from "../src/services/commands.ts"
import { Lines } from "../src/services/lines.ts"
import { Seals } from "../src/services/seals.ts"
import { openWorkers } from "./node.ts"

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000

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
  const { store, queueJobs } = resources
  const seals = new Seals(await secretKey(config.SECRET_KEY, config.DATA_DIR, store))
  // No charge point is on its line: what it asks them goes to the nodes that hold them.
  const lines = new Lines()
  const callTimeoutMs = config.CALL_TIMEOUT * SECOND_MS
  const queueExpiryMs = config.COMMAND_QUEUE_EXPIRY * HOUR_MS
  const commands = createCommands({
    ...resources,
    ...surroundings,
    jobs: queueJobs,
    lines,
    seals,
    callTimeoutMs,
    queueExpiryMs,
  })
  const ocppPort = () => config.OCPP_PORT
  const { services } = await openNodeFiles(config, { ...surroundings, store, commands, seals, ocppPort })
  await openWorkers(config, resources, { ...surroundings, seals, firmware: services.firmware })
  process.stdout.write(
    [
      "",
      "  Busbar is working.",
      "",
      `  Node            ${resources.bus.nodeId}`,
      "  Jobs            commands that wait; firmware campaigns; reservations whose time is over; who is offline, which commands nobody ends; what is old enough to go",
      "  Data            PostgreSQL, Redis shared",
      "",
      "",
    ].join("\n"),
  )
  log.info({ signal: await stopped }, "stopping")
})
