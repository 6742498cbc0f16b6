/** What a connected charger that says nothing costs in memory, and whether that stays as it is: at one node, and at several. */
import { startCluster } from "../databases.ts"
import type { Result, Row } from "../record.ts"
import { type Limit, type Node, startLimit } from "../servers.ts"
import { mostChargers, shares } from "../shares.ts"
import type { Stage } from "../stage.ts"
import { type Rest, rest } from "./rest.ts"

const CHARGERS = [10_000, 18_000]
const CHARGERS_OF_NODES = 25_000
const MAY_COST_MORE_KIB = 4
/** What a heap may breathe without growing, as a share. */
const FLAT = 0.05

export async function idleMemory(stage: Stage): Promise<void> {
  const { options } = stage
  if (options.target) throw new Error("idle-memory reads the memory of a node that the run has started")
  for (const chargers of options.chargers === undefined ? CHARGERS : [options.chargers]) {
    await using open = new AsyncDisposableStack()
    const node = open.use(await stage.node())
    const limit = open.use(await startLimit("acknowledge"))
    const { identities, idTags } = open.use(await stage.enrol(node, { chargers }))
    await measure(stage, { scenario: "idle-memory", shares: [identities], idTags, nodes: [node], limits: [limit] })
  }
  await acrossNodes(stage, options.chargers ?? CHARGERS_OF_NODES)
}

/** At as many nodes as the chargers need, where no process may hold them all; at two if one may. */
async function acrossNodes(stage: Stage, chargers: number): Promise<void> {
  await using open = new AsyncDisposableStack()
  const { environment } = open.use(await startCluster(stage.options.databaseUrl))
  const first = open.use(await stage.node({ environment }))
  const { identities, idTags } = open.use(await stage.enrol(first, { chargers }))
  const dealt = shares(identities, mostChargers())
  const nodes = [first]
  const limits: Limit[] = []
  for (const [index] of dealt.entries()) {
    if (index > 0) nodes.push(open.use(await stage.node({ environment })))
    limits.push(open.use(await startLimit("acknowledge")))
  }
  await measure(stage, { scenario: "idle-memory-nodes", shares: dealt, idTags, nodes, limits })
}

interface Plan {
  scenario: string
  shares: readonly (readonly string[])[]
  idTags: readonly string[]
  /** One for each share, as of the limits. */
  nodes: readonly Node[]
  limits: readonly Limit[]
}

async function measure(stage: Stage, { scenario, shares, idTags, nodes, limits }: Plan): Promise<void> {
  const { options } = stage
  const chargers = shares.flat().length
  const at = (subjects: readonly (Node | Limit)[]) =>
    subjects.map((subject, index) => ({ subject, identities: shares[index] ?? [] }))
  const ours = await rest(stage, scenario, at(nodes), idTags)
  const bare = await rest(stage, scenario, at(limits), idTags)
  const row = (subject: string, { faults, perChargerKiB, growth, rssMiB, came }: Rest): Row => ({
    ...{ scenario, subject, chargers, unit: "chargers", rounds: [], faults },
    rssMiB: { server: rssMiB },
    errors: Object.values(faults.counts).reduce((sum, count) => sum + count, 0),
    notes: [
      `${perChargerKiB.toFixed(1)} KiB for each of ${came} chargers${nodes.length > 1 ? ` at ${nodes.length} ${subject === "busbar" ? "nodes" : "servers"}` : ""}, ${(growth * 100).toFixed(1)} % more in the second half of ${options.idleSeconds} s`,
    ],
  })
  const result: Result = {
    ...row("busbar", ours),
    ratio: (bare.perChargerKiB + MAY_COST_MORE_KIB) / ours.perChargerKiB,
    target: 1,
    targetInWords: `≤ ${MAY_COST_MORE_KIB} KiB more per charger`,
  }
  stage.results.push(result)
  stage.limits.push(row("limit", bare))
  stage.checks.push({
    name: `${scenario} ${chargers}`,
    passed: ours.growth <= FLAT,
    words: `flat: ${(ours.growth * 100).toFixed(1)} % more in the second half of ${options.idleSeconds} s`,
  })
}
