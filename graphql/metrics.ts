/** What the API tells Prometheus of its subscriptions. */
import { Counter, Gauge, type Registry } from "prom-client"
import type { FanOut } from "./fan-out/index.ts"

/** Adds the figures; they are read when they are asked for. */
export function measureSubscriptions(registry: Registry, fanOut: FanOut): void {
  const registers = [registry]
  new Gauge({
    name: "busbar_subscriptions",
    help: "Subscriptions that are open.",
    registers,
    collect() {
      this.set(fanOut.subscriptions)
    },
  })
  new Gauge({
    name: "busbar_subscription_groups",
    help: "Different subscriptions among those that have caught up; identical ones are executed once per event.",
    registers,
    collect() {
      this.set(fanOut.groups)
    },
  })
  new Counter({
    name: "busbar_subscription_executions_total",
    help: "How often a subscription was executed for something told.",
    registers,
    collect() {
      this.reset()
      this.inc(fanOut.executions)
    },
  })
  new Counter({
    name: "busbar_subscription_deliveries_total",
    help: "Results handed to subscribers.",
    registers,
    collect() {
      this.reset()
      this.inc(fanOut.deliveries)
    },
  })
}
