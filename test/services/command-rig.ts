/** Nodes on one store and one Redis, with what commands need and with charge points that answer as a test says. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RegistrationStatus } from "../../src/facts/rows.ts"
import { openJobs } from "../../src/jobs/jobs.ts"
import { createQueueJobs } from "../../src/jobs/queue-jobs.ts"
import { openConversation } from "../../src/ocpp/conversation.ts"
import { type CommandWish, createCommands } from "../../src/services/commands.ts"
import { type Line, Lines } from "../../src/services/lines.ts"
import type { Store } from "../../src/services/ports.ts"
import { Seals } from "../../src/services/seals.ts"
import { openStore } from "../../src/store/index.ts"
import { openNode, quietLog, systemClock } from "../bus/support.ts"
import { chargePointRow } from "../support/charging.ts"
import { claim } from "../support/ownership.ts"

export const viewer = { organisationId: "default", name: "an operator" }

/** Nodes on one store and one Redis. */
export async function openNodes(count: number, url: string) {
  const dataDir = mkdtempSync(join(tmpdir(), "busbar-commands-"))
  const store = await openStore({ dataDir, log: quietLog, now: systemClock.now })
  const nodes = await Promise.all(
    Array.from({ length: count }, async () => {
      const node = await openNode(url)
      const lines = new Lines()
      const jobs = openJobs({ redis: node.redis, log: quietLog, replanEveryMs: 200 })
      const queueJobs = createQueueJobs({ jobs, clock: systemClock, log: quietLog })
      const commands = createCommands({
        store,
        bus: node.bus,
        lines,
        jobs: queueJobs,
        seals: new Seals("a key that all nodes share"),
        clock: systemClock,
        log: quietLog,
        callTimeoutMs: 5_000,
        queueExpiryMs: 60_000,
      })
      return { ...node, lines, jobs, queueJobs, commands }
    }),
  )
  return {
    store,
    dataDir,
    nodes,
    first: nodes[0]!,
    last: nodes.at(-1)!,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node.jobs[Symbol.asyncDispose]()
      for (const node of nodes) await node.bus[Symbol.asyncDispose]()
      for (const node of nodes) await node.redis[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
export type Nodes = Awaited<ReturnType<typeof openNodes>>

export async function createChargePoint(
  store: Store,
  registrationStatus: RegistrationStatus = "Accepted",
  accepted = true,
) {
  const id = crypto.randomUUID()
  const acceptedAt = accepted ? Date.now() : null
  const chargePoint = chargePointRow({ id, identity: id, registrationStatus, acceptedAt })
  await store.change("createChargePoint", { chargePoint })
  return chargePoint
}

export type Answer = (call: { uniqueId: string; action: string; request: Record<string, unknown> }) => unknown

/** A charge point on a node's line that answers with what `answer` gives; with undefined it stays silent. */
export async function connect({ bus, lines }: Nodes["first"], store: Store, answer: Answer, chargePointId?: string) {
  const id = chargePointId ?? (await createChargePoint(store)).id
  const received: string[] = []
  const conversation = openConversation({
    level: "tolerant",
    handle: () => Promise.reject(new Error("it asks nothing")),
    send(text) {
      received.push(text)
      const [, uniqueId, action, request] = JSON.parse(text)
      void Promise.resolve(answer({ uniqueId, action, request })).then((reply) => {
        if (reply === undefined) return
        conversation.receive(JSON.stringify(Array.isArray(reply) ? reply : [3, uniqueId, reply]))
      })
    },
  })
  const epoch = await claim(bus, id)
  await store.change("goOnline", {
    ...place(id),
    nodeId: bus.nodeId,
    epoch,
    at: Date.now(),
  })
  const line: Line = {
    ...place(id),
    identity: id,
    epoch,
    lastSeenAt: Date.now(),
    call: (action, request, options) => conversation.call(action, request, options),
    close: (reason) => conversation.close(reason),
  }
  lines.add(line)
  return { id, line, received }
}

export const place = (chargePointId: string) => ({ organisationId: "default", chargePointId })

export const wish = (chargePointId: string, change: Partial<CommandWish> = {}): CommandWish => ({
  chargePointId,
  identity: chargePointId,
  action: "Reset",
  request: { type: "Soft" },
  ...change,
})
