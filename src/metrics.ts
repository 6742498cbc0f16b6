/** What a node tells Prometheus about itself beside the runtime's own figures. */
import { Gauge, type Registry } from "prom-client"
import type { Lines } from "./services/lines.ts"
import type { Store } from "./services/ports.ts"

/** Adds the node's gauges; they are read when they are asked for. */
export function measureNode(registry: Registry, { lines, store }: { lines: Lines; store: Store }): void {
  new Gauge({
    name: "busbar_charge_points_connected",
    help: "Charge points whose socket this node holds.",
    registers: [registry],
    collect() {
      this.set(lines.size)
    },
  })
  new Gauge({
    name: "busbar_commands_queued",
    help: "Commands that wait for their charge point, on all nodes together.",
    registers: [registry],
    async collect() {
      const count = await store.read.countQueuedCommands().catch(() => undefined)
      // Without the store nobody knows: no figure is better than an old one.
      if (count === undefined) this.remove()
      else this.set(count)
    },
  })
  new Gauge({
    name: "busbar_store_trouble_seconds",
    help: "For how long the store has failed; 0 while it works.",
    registers: [registry],
    collect() {
      const since = store.troubleSince()
      this.set(since === null ? 0 : (Date.now() - since) / 1000)
    },
  })
}
