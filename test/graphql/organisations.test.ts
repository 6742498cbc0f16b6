import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { ChargePointRow, CommandRow, MessageRow } from "../../src/facts/rows.ts"
import { caller, meterValue, meterValues, start } from "../support/charging.ts"
import { until } from "../support/until.ts"
import { type Answer, chargePoint, type Data, type Rig, result, startRig } from "./rig.ts"

const ORGANISATIONS = ["default", "elsewhere"] as const
type Organisation = (typeof ORGANISATIONS)[number]

interface Owned {
  row: ChargePointRow
  transactionId: number
  commandId: string
  token: string
}

let rig: Rig
const owned = {} as Record<Organisation, Owned>
beforeAll(async () => {
  rig = await startRig({ organisations: ["elsewhere"] })
  for (const organisationId of ORGANISATIONS) owned[organisationId] = await furnish(organisationId)
})
afterAll(() => rig[Symbol.asyncDispose]())

const commandRow = ({ id, organisationId }: ChargePointRow): CommandRow => ({
  id: crypto.randomUUID(),
  organisationId,
  chargePointId: id,
  action: "Reset",
  request: "{}",
  state: "Answered",
  requestedBy: organisationId,
  requestedAt: 1,
  deadlineAt: 2,
  expiresAt: null,
  sentAt: 1,
  answeredAt: 1,
  confirmation: "{}",
  error: null,
  idempotencyKey: "one key in both",
  requestDigest: null,
  nodeId: null,
})

const frame = ({ id, organisationId }: ChargePointRow): Omit<MessageRow, "id"> => ({
  organisationId,
  chargePointId: id,
  at: 1,
  direction: "FromChargePoint",
  messageType: "Call",
  uniqueId: "1",
  action: "Heartbeat",
  text: `[2,"1","${organisationId}",{}]`,
})

/** One of everything, the names of the rows being those of their organisation wherever a name is free. */
async function furnish(organisationId: Organisation): Promise<Owned> {
  const token = await rig.token("Admin", { organisationId })
  const row = await chargePoint(rig, organisationId, { organisationId })
  const from = { organisationId, chargePointId: row.id }
  await result(
    rig,
    token,
    `mutation { result: createIdTag(input: { idTag: "04A1", note: "${organisationId}" }) { __typename } }`,
  )
  const { transactionId } = await rig.store.change("startTransaction", start({}, from))
  await rig.store.change("reportMeterValues", meterValues({ transactionId }, [meterValue(1, 2000)], from))
  const command = commandRow(row)
  await rig.store.change("recordCommand", { command })
  await rig.store.addMessages([frame(row)])
  return { row, transactionId, commandId: command.id, token }
}

const globalId = (type: string, id: string | number) => Buffer.from(`${type}:${id}`).toString("base64")

describe.each([
  ["default", "elsewhere"],
  ["elsewhere", "default"],
] as const)("seen from %s", (here, there) => {
  const ask = async (query: string, variables: Data = {}) => {
    const { data, errors } = await rig.ask(owned[here].token, query, variables)
    expect(errors).toBeUndefined()
    return data!
  }

  test("every list holds its own rows, and none of the other's whatever the filter names", async () => {
    const filter = `{ chargePoints: ["${here}", "${there}"] }`
    const data = await ask(`{
      chargePoints(filter: { identities: ["${here}", "${there}"] }) { totalCount edges { node { identity } } }
      transactions(filter: ${filter}) { totalCount edges { node { transactionId chargePoint { identity } } } }
      theirs: transactions(filter: { chargePoints: ["${there}"] }) { totalCount edges { cursor } }
      commands(filter: ${filter}) { edges { node { requestedBy chargePoint { identity } } } }
      idTags { edges { node { note } } }
      apiTokens { name }
      fleet { chargePoints activeTransactions }
      viewer { organisationId }
    }`)
    const { transactionId } = owned[here]
    expect(data).toEqual({
      chargePoints: { totalCount: 1, edges: [{ node: { identity: here } }] },
      transactions: { totalCount: 1, edges: [{ node: { transactionId, chargePoint: { identity: here } } }] },
      theirs: { totalCount: 0, edges: [] },
      commands: { edges: expect.arrayContaining([{ node: { requestedBy: here, chargePoint: { identity: here } } }]) },
      idTags: { edges: [{ node: { note: here } }] },
      apiTokens: [{ name: "Admin of the test" }],
      fleet: { chargePoints: 1, activeTransactions: 1 },
      viewer: { organisationId: here },
    })
    expect(JSON.stringify(data)).not.toContain(there)
  })

  test("nothing of the other's is found by name or by id", async () => {
    const { row, transactionId, commandId } = owned[there]
    const { edges } = (
      (await rig.ask<{ idTags: { edges: { node: { id: string } }[] } }>(
        owned[there].token,
        "{ idTags { edges { node { id } } } }",
      )) as { data: { idTags: { edges: { node: { id: string } }[] } } }
    ).data.idTags
    const ids = [
      globalId("ChargePoint", row.id),
      globalId("Transaction", transactionId),
      globalId("Command", commandId),
      edges[0]!.node.id,
    ]
    for (const id of ids) {
      expect(await ask("query ($id: ID!) { node(id: $id) { id } }", { id })).toEqual({ node: null })
      expect((await rig.ask(owned[there].token, "query ($id: ID!) { node(id: $id) { id } }", { id })).data).toEqual({
        node: { id },
      })
    }
    expect(
      await ask(`{ chargePoint(identity: "${there}") { id } transaction(transactionId: ${transactionId}) { id } }`),
    ).toEqual({ chargePoint: null, transaction: null })
  })

  test("a cursor of the other's leads to nothing of theirs", async () => {
    const { data } = await rig.ask<{ chargePoints: { pageInfo: { startCursor: string } } }>(
      owned[there].token,
      "{ chargePoints { pageInfo { startCursor } } }",
    )
    const before = data!.chargePoints.pageInfo.startCursor
    const listed = await ask(
      "query ($c: String) { before: chargePoints(last: 5, before: $c) { edges { node { identity } } } after: chargePoints(first: 5, after: $c) { edges { node { identity } } } }",
      { c: before },
    )
    expect(JSON.stringify(listed)).not.toContain(there)
  })

  test.each([
    `updateChargePoint(input: { identity: $there, wireLog: true })`,
    `deleteChargePoint(input: { identity: $there })`,
    `changeAvailability(input: { chargePoint: $there, connectorId: 1, type: OPERATIVE })`,
    `changeConfiguration(input: { chargePoint: $there, key: "k", value: "v" })`,
    `clearCache(input: { chargePoint: $there })`,
    `dataTransfer(input: { chargePoint: $there, vendorId: "v" })`,
    `getConfiguration(input: { chargePoint: $there })`,
    `remoteStartTransaction(input: { chargePoint: $there, idTag: "t" })`,
    `remoteStopTransaction(input: { chargePoint: $there, transactionId: 1 })`,
    `reset(input: { chargePoint: $there, type: SOFT })`,
    `unlockConnector(input: { chargePoint: $there, connectorId: 1 })`,
  ])("%s is asked of nobody", async (mutation) => {
    const query = `mutation ($there: String!) { result: ${mutation} { __typename } }`
    expect(await result(rig, owned[here].token, query, { there })).toEqual({ __typename: "ChargePointNotFound" })
  })

  test("identities are given once in all, tokens of the other's cannot be revoked", async () => {
    const { token } = owned[here]
    const create = `mutation { result: createChargePoint(input: { identity: "${there}" }) { __typename } }`
    expect(await result(rig, token, create)).toEqual({ __typename: "AlreadyExists" })
    const { data } = await rig.ask<{ apiTokens: { id: string }[] }>(owned[there].token, "{ apiTokens { id } }")
    const revoke = `mutation ($id: ID!) { result: revokeApiToken(input: { id: $id }) { __typename } }`
    expect(await result(rig, token, revoke, { id: data!.apiTokens[0]!.id })).toEqual({ __typename: "ApiTokenNotFound" })
    expect((await rig.ask(owned[there].token, "{ viewer { organisationId } }")).errors).toBeUndefined()
  })

  test("a subscription that names something of the other's finds nothing there", async () => {
    for (const field of ["messageExchanged", "meterValuesReceived", "commandChanged"]) {
      const query = `subscription { ${field}(chargePoint: "${there}") { cursor } }`
      const { value } = await rig.sse(owned[here].token).iterate({ query }).next()
      expect((value as Answer).errors?.[0]?.extensions?.code).toBe("NOT_FOUND")
    }
  })

  test("all six subscriptions tell their own story only, whatever the filter names", async () => {
    const theirs = owned[there]
    const mine = owned[here]
    const subscriptions: Record<string, string> = {
      chargePointChanged: `(filter: { identities: ["${here}", "${there}"] }) { chargePoint { identity } }`,
      transactionChanged: `(filter: { chargePoints: ["${here}", "${there}"] }) { transaction { transactionId chargePoint { identity } } }`,
      meterValuesReceived: " { chargePoint { identity } transaction { transactionId } meterValues { timestamp } }",
      commandChanged: " { command { requestedBy } }",
      fleetChanged: "(everyMs: 250) { fleet { chargePoints } }",
      messageExchanged: `(chargePoint: "${here}") { message { text } }`,
      ofTheirTransaction: `: meterValuesReceived(transactionId: ${theirs.transactionId}) { cursor }`,
      ofTheirCommand: `: commandChanged(id: "${globalId("Command", theirs.commandId)}") { cursor }`,
    }
    const told: Record<string, Data[]> = {}
    const client = rig.sse(mine.token)
    for (const [name, rest] of Object.entries(subscriptions)) {
      const list: Data[] = []
      told[name] = list
      const open = rig.subscriptions()
      client.subscribe<Record<string, Data>>(
        { query: `subscription { ${name}${rest} }` },
        {
          next: ({ data }) => void list.push(data?.[name] ?? {}),
          error: () => undefined,
          complete: () => undefined,
        },
      )
      await until(`${name} is open`, () => rig.subscriptions() > open)
    }
    await until("the wire is watched", () => rig.bus.isWatched(mine.row.id))
    await happen(theirs)
    await happen(mine)
    const names = Object.keys(subscriptions).filter((name) => !name.startsWith("ofTheir"))
    await until("each has told of what is its own", () => names.every((name) => (told[name]?.length ?? 0) > 0))
    client.dispose()
    await until("the server lets go", () => rig.subscriptions() === 0)
    expect(told).toMatchObject({
      chargePointChanged: [{ chargePoint: { identity: here } }],
      meterValuesReceived: [{ chargePoint: { identity: here }, transaction: { transactionId: mine.transactionId } }],
      commandChanged: [{ command: { requestedBy: here } }],
      messageExchanged: [{ message: { text: frame(mine.row).text } }],
      ofTheirTransaction: [],
      ofTheirCommand: [],
    })
    expect(JSON.stringify(told)).not.toContain(there)
    for (const { transaction } of told["transactionChanged"]!)
      expect(transaction).toEqual({ transactionId: mine.transactionId, chargePoint: { identity: here } })
  })
})

let minutes = 10
let messageId = 1_000

/** Something of every kind. */
async function happen({ row, transactionId }: Owned): Promise<void> {
  const from = { organisationId: row.organisationId, chargePointId: row.id }
  minutes += 1
  const values = [meterValue(minutes, 2000 + minutes)]
  await rig.store.change("recordCommand", { command: { ...commandRow(row), idempotencyKey: null } })
  await rig.store.change("reportMeterValues", meterValues({ transactionId }, values, from))
  const request = { connectorId: minutes, status: "Available", errorCode: "NoError" } as const
  await rig.store.change("reportStatus", { ...caller(from), request, statusAt: minutes })
  rig.bus.publishMessages(row.id, [{ ...frame(row), id: messageId++ }])
}
