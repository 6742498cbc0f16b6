/** Who is there and holds what, as far as it concerns the asker's organisation. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { chargePoint, type Data, type Rig, startRig } from "./rig.ts"

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ organisations: ["elsewhere"] })
  for (const [identity, organisationId, nodeId] of [
    ["HERE-1", "default", rig.bus.nodeId],
    ["HERE-2", "default", rig.bus.nodeId],
    ["GONE", "default", "a node that ended"],
    ["OTHERS", "elsewhere", rig.bus.nodeId],
  ] as const) {
    const { id: chargePointId } = await chargePoint(rig, identity, { organisationId })
    await rig.store.change("goOnline", { organisationId, chargePointId, nodeId, epoch: 1, at: 1 })
  }
  await chargePoint(rig, "IDLE")
})
afterAll(() => rig[Symbol.asyncDispose]())

const NODES = `{ clusterNodes {
  nodeId roles version chargePoints
  holds(first: 1) { totalCount pageInfo { hasNextPage } edges { node { identity } } }
} }`

test("the nodes are listed with the charge points that they hold, page by page", async () => {
  const { data } = await rig.ask(await rig.token("Viewer"), NODES)
  expect(data).toEqual({
    clusterNodes: [
      {
        nodeId: rig.bus.nodeId,
        roles: ["api"],
        version: "0.0.0",
        chargePoints: 2,
        holds: { totalCount: 2, pageInfo: { hasNextPage: true }, edges: [{ node: { identity: "HERE-1" } }] },
      },
    ],
  })
})

test("another organisation sees the same nodes, and nothing of what they hold for others", async () => {
  const { data } = await rig.ask<{ clusterNodes: Data[] }>(
    await rig.token("Admin", { organisationId: "elsewhere" }),
    NODES,
  )
  expect(data?.clusterNodes).toMatchObject([
    { nodeId: rig.bus.nodeId, chargePoints: 1, holds: { totalCount: 1, edges: [{ node: { identity: "OTHERS" } }] } },
  ])
})

test("a charge point tells which node holds it; none where it is offline, or its node has ended", async () => {
  const { data } = await rig.ask<{ chargePoints: { edges: { node: Data }[] } }>(
    await rig.token("Viewer"),
    "{ chargePoints(first: 10) { edges { node { identity nodeId heldBy { nodeId chargePoints } } } } }",
  )
  const { nodeId } = rig.bus
  expect(data?.chargePoints.edges.map(({ node }) => node)).toEqual([
    { identity: "GONE", nodeId: "a node that ended", heldBy: null },
    { identity: "HERE-1", nodeId, heldBy: { nodeId, chargePoints: 2 } },
    { identity: "HERE-2", nodeId, heldBy: { nodeId, chargePoints: 2 } },
    { identity: "IDLE", nodeId: null, heldBy: null },
  ])
})

test("what a list of nodes holds is counted with one question", async () => {
  const token = await rig.token("Viewer")
  rig.reads.clear()
  await rig.ask(token, "{ clusterNodes { chargePoints } again: clusterNodes { chargePoints } }")
  expect(rig.reads.get("countHeld")).toBe(1)
})
