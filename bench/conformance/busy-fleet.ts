/**
 * The busy charge points, in a process of their own so that their work does not lengthen the times that are measured:
 * started by `crowd.ts` with the fleet's options as its argument, tells its parent how it is, and ends when told or
 * when the parent is gone.
 */
import { Fleet } from "../fleet.ts"
import type { FleetOptions } from "../fleet.ts"

// A terminal's Ctrl-C reaches the parent too, and the parent decides.
process.on("SIGINT", () => undefined)

const options = JSON.parse(process.argv[2] ?? "{}") as FleetOptions
const fleet = new Fleet(options)
const over = Promise.withResolvers<void>()
process.on("message", () => over.resolve())
process.on("disconnect", () => over.resolve())

fleet.start()
const telling = setInterval(() => process.send?.(fleet.report()), 250)
await over.promise
clearInterval(telling)
await fleet.stop()
process.exit(0)
