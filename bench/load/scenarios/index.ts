/** All scenarios by their names. */
import type { ScenarioName } from "../options.ts"
import type { Stage } from "../stage.ts"
import { commands } from "./commands.ts"
import { heartbeat, meterValues, transactions } from "./duel.ts"
import { fanOut } from "./fan-out.ts"
import { idleMemory } from "./idle-memory.ts"
import { kill } from "./kill.ts"
import { chargerToSubscriber } from "./live.ts"
import { heartbeatBesideMeterValues, mixed } from "./pacing.ts"
import { connectStorm } from "./storm.ts"

export const scenarios: Readonly<Record<ScenarioName, (stage: Stage) => Promise<void>>> = {
  heartbeat,
  "meter-values": meterValues,
  transactions,
  "heartbeat-beside-meter-values": heartbeatBesideMeterValues,
  mixed,
  "connect-storm": connectStorm,
  "idle-memory": idleMemory,
  commands,
  "fan-out": fanOut,
  "charger-to-subscriber": chargerToSubscriber,
  kill,
}
