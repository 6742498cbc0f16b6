import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import { caller, meterValue, meterValues, start, stop, time } from "../support/charging.ts"
import { chargePoint, type Data, type Rig, startRig } from "./rig.ts"

let rig: Rig
let token: string
beforeAll(async () => {
  rig = await startRig()
  token = await rig.token("Viewer")
})
afterAll(() => rig[Symbol.asyncDispose]())

/** The data of an answer without errors. */
async function data(query: string, variables: Data = {}): Promise<Data> {
  const answer = await rig.ask(token, query, variables)
  expect(answer.errors).toBeUndefined()
  return answer.data!
}

async function reportStatus({ id }: ChargePointRow, connectorId: number, status: string): Promise<void> {
  const request = { connectorId, status, errorCode: "NoError", timestamp: time(0) } as never
  await rig.store.change("reportStatus", { ...caller({ chargePointId: id }), request, statusAt: Date.parse(time(0)) })
}

/** A transaction under way on connector 1, with a reading. */
async function charging(row: ChargePointRow): Promise<number> {
  const from = { chargePointId: row.id }
  await reportStatus(row, 1, "Charging")
  const { transactionId } = await rig.store.change("startTransaction", start({}, from))
  const readings = [
    meterValue(5, [{ value: "1400" }, { value: "7.2", measurand: "Power.Active.Import", unit: "kW", phase: "L1-N" }]),
    meterValue(10, [{ value: "7.4", measurand: "Power.Active.Import", unit: "kW", phase: "L1-N" }]),
  ]
  await rig.store.change("reportMeterValues", meterValues({ transactionId }, readings, from))
  return transactionId
}

describe("a charge point", () => {
  test("is shown with its connectors, the running transaction and the newest readings", async () => {
    const row = await chargePoint(rig, "CP/shown 1")
    await reportStatus(row, 0, "Available")
    const transactionId = await charging(row)
    const { chargePoint: shown } = await data(`{
      chargePoint(identity: "CP/shown 1") {
        identity registrationStatus online hasPassword firmware { status } diagnostics { status }
        connectors {
          connectorId status reportedStatus errorCode statusAt
          transaction { transactionId state idTag energyWh meterStart chargePoint { identity } }
          latestReadings { timestamp sampledValue { measurand phase unit numericValue location context format } }
        }
      }
    }`)
    const defaults = { location: "OUTLET", context: "SAMPLE_PERIODIC", format: "RAW" }
    expect(shown).toEqual({
      identity: "CP/shown 1",
      registrationStatus: "ACCEPTED",
      online: false,
      hasPassword: false,
      firmware: null,
      diagnostics: null,
      connectors: [
        {
          connectorId: 0,
          status: "AVAILABLE",
          reportedStatus: "Available",
          errorCode: "NO_ERROR",
          statusAt: time(0),
          transaction: null,
          latestReadings: [],
        },
        {
          connectorId: 1,
          status: "CHARGING",
          reportedStatus: "Charging",
          errorCode: "NO_ERROR",
          statusAt: time(0),
          transaction: {
            transactionId,
            state: "ACTIVE",
            idTag: "04A1",
            energyWh: 400,
            meterStart: 1000,
            chargePoint: { identity: "CP/shown 1" },
          },
          latestReadings: expect.arrayContaining([
            {
              timestamp: time(5),
              sampledValue: {
                measurand: "ENERGY_ACTIVE_IMPORT_REGISTER",
                phase: null,
                unit: "WH",
                numericValue: 1400,
                ...defaults,
              },
            },
            {
              timestamp: time(10),
              sampledValue: {
                measurand: "POWER_ACTIVE_IMPORT",
                phase: "L1_N",
                unit: "KW",
                numericValue: 7.4,
                ...defaults,
              },
            },
          ]),
        },
      ],
    })
  })

  test("with words of its own still answers: null where an enum cannot say them, and the words beside", async () => {
    const row = await chargePoint(rig, "CP-words")
    await reportStatus(row, 1, "Defrosting")
    const readings = [meterValue(1, [{ value: "n/a", measurand: "Mood" as never, unit: "Smiles" as never }])]
    await rig.store.change("reportMeterValues", meterValues({}, readings, { chargePointId: row.id }))
    const { chargePoint: shown } = await data(`{
      chargePoint(identity: "CP-words") {
        connectors { status reportedStatus latestReadings { sampledValue { value numericValue measurand unit reported } } }
      }
    }`)
    expect(shown).toMatchObject({
      connectors: [
        {
          status: null,
          reportedStatus: "Defrosting",
          latestReadings: [
            {
              sampledValue: {
                value: "n/a",
                numericValue: null,
                measurand: null,
                unit: null,
                reported: { measurand: "Mood", unit: "Smiles" },
              },
            },
          ],
        },
      ],
    })
  })

  test("shows its newest firmware and diagnostics reports, its deviations, its wire and stray messages", async () => {
    const row = await chargePoint(rig, "CP-reports")
    const report = (action: string, status: string, receivedAt: number) =>
      rig.store.change("report", {
        ...caller({ chargePointId: row.id, receivedAt }),
        id: crypto.randomUUID(),
        action,
        payload: JSON.stringify({ status }),
      })
    await report("FirmwareStatusNotification", "Downloading", 1_000)
    await report("FirmwareStatusNotification", "Installed", 2_000)
    await report("DiagnosticsStatusNotification", "Polishing", 3_000)
    const { organisationId, id: chargePointId } = row
    await rig.store.addDeviations([
      {
        organisationId,
        chargePointId,
        kind: "MissingZone",
        place: "StartTransaction.timestamp",
        example: "x",
        count: 2,
        firstAt: 1_000,
        lastAt: 2_000,
      },
    ])
    const frame = {
      organisationId,
      chargePointId,
      direction: "FromChargePoint",
      messageType: "Call",
      uniqueId: "1",
      action: "Heartbeat",
      text: "[2]",
    } as const
    await rig.store.addMessages([1_000, 2_000, 3_000].map((at) => ({ ...frame, at })))
    await rig.store.change("stopTransaction", stop({ transactionId: -1 }, { chargePointId: row.id }))
    const { chargePoint: shown } = await data(`{
      chargePoint(identity: "CP-reports") {
        firmware { status reportedStatus reportedAt } diagnostics { status reportedStatus }
        deviations { kind place count }
        messages(last: 2, action: "Heartbeat") { edges { node { at direction messageType uniqueId text } } pageInfo { hasPreviousPage } }
        strayMessages { edges { node { transactionId reason payload } } }
      }
    }`)
    expect(shown).toMatchObject({
      firmware: { status: "INSTALLED", reportedStatus: "Installed", reportedAt: "1970-01-01T00:00:02.000Z" },
      diagnostics: { status: null, reportedStatus: "Polishing" },
      deviations: [{ kind: "MissingZone", place: "StartTransaction.timestamp", count: 2 }],
      messages: {
        edges: [
          { node: { at: "1970-01-01T00:00:02.000Z", direction: "FROM_CHARGE_POINT", messageType: "CALL" } },
          { node: { at: "1970-01-01T00:00:01.000Z", uniqueId: "1", text: "[2]" } },
        ],
        pageInfo: { hasPreviousPage: true },
      },
      strayMessages: {
        edges: [{ node: { transactionId: -1, reason: "UNKNOWN_TRANSACTION", payload: { meterStop: 5000 } } }],
      },
    })
  })
})

describe("a transaction", () => {
  test("is found by its transactionId, with its readings and its end", async () => {
    const row = await chargePoint(rig, "CP-ended")
    const transactionId = await charging(row)
    await rig.store.change(
      "stopTransaction",
      stop({ transactionId, meterStop: 3500, reason: "EVDisconnected" }, { chargePointId: row.id }),
    )
    const query = `query ($transactionId: Int!) {
      transaction(transactionId: $transactionId) {
        id transactionId state startedAt stoppedAt stopReason reportedStopReason meterStart meterStop energyWh connectorId
        meterValues(first: 1) { edges { cursor node { timestamp connectorId sampledValues { value } transaction { transactionId } } } pageInfo { hasNextPage endCursor } }
      }
    }`
    const { transaction } = await data(query, { transactionId })
    expect(transaction).toMatchObject({
      transactionId,
      state: "ENDED",
      startedAt: time(0),
      stoppedAt: time(60),
      stopReason: "EV_DISCONNECTED",
      reportedStopReason: "EVDisconnected",
      meterStart: 1000,
      meterStop: 3500,
      energyWh: 2500,
      connectorId: 1,
      meterValues: {
        edges: [
          {
            node: {
              timestamp: time(5),
              sampledValues: [{ value: "1400" }, { value: "7.2" }],
              transaction: { transactionId },
            },
          },
        ],
        pageInfo: { hasNextPage: true },
      },
    })
    expect(await data(query, { transactionId: 999_999 })).toEqual({ transaction: null })
  })

  test("is listed by charge point, state and idTag, whatever its letter case", async () => {
    const row = await chargePoint(rig, "CP-listed")
    const transactionId = await charging(row)
    const listed = async (filter: string) => {
      const { transactions } = await data(
        `{ transactions(filter: ${filter}) { totalCount edges { node { transactionId } } } }`,
      )
      return transactions
    }
    const one = { totalCount: 1, edges: [{ node: { transactionId } }] }
    expect(await listed(`{ chargePoints: ["CP-listed"] }`)).toEqual(one)
    expect(await listed(`{ chargePoints: ["CP-listed"], state: [ACTIVE], idTag: "04a1" }`)).toEqual(one)
    expect(await listed(`{ chargePoints: ["CP-listed"], state: [ENDED] }`)).toEqual({ totalCount: 0, edges: [] })
    expect(await listed(`{ chargePoints: ["nobody"] }`)).toEqual({ totalCount: 0, edges: [] })
  })
})

test("a register beyond 32 bits is shown as it was reported, and breaks no list", async () => {
  const row = await chargePoint(rig, "CP-big")
  await rig.store.change("startTransaction", start({ meterStart: 4_294_967_295 }, { chargePointId: row.id }))
  const { transactions } = await data(
    `{ transactions(filter: { chargePoints: ["CP-big"] }) { edges { node { meterStart } } } }`,
  )
  expect(transactions).toEqual({ edges: [{ node: { meterStart: 4_294_967_295 } }] })
})

test("a node is found by its id alone, an id of nothing is null, an unreadable one an error", async () => {
  const row = await chargePoint(rig, "CP-node")
  const transactionId = await charging(row)
  const { chargePoint: shown, transaction } = (await data(
    `query ($transactionId: Int!) { chargePoint(identity: "CP-node") { id } transaction(transactionId: $transactionId) { id } }`,
    { transactionId },
  )) as Record<string, { id: string }>
  const node = `query ($id: ID!) { node(id: $id) { __typename ... on ChargePoint { identity } ... on Transaction { transactionId } } }`
  expect(await data(node, { id: shown!.id })).toEqual({ node: { __typename: "ChargePoint", identity: "CP-node" } })
  expect(await data(node, { id: transaction!.id })).toEqual({ node: { __typename: "Transaction", transactionId } })
  for (const text of [
    "ChargePoint:gone",
    "Transaction:999999",
    "Transaction:x",
    "Transaction:1e300",
    "Transaction:-1",
    "IdTag:gone",
    "Command:gone",
  ]) {
    expect(await data(node, { id: btoa(text) })).toEqual({ node: null })
  }
  for (const id of ["%", "", btoa("Transaction"), btoa("Nothing:1"), btoa("Viewer:1"), btoa("__proto__:1")]) {
    const { errors } = await rig.ask(token, node, { id })
    expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(["BAD_USER_INPUT"])
  }
  expect(rig.errorLines).toEqual([])
})

test("the fleet is summed up", async () => {
  await using fresh = await startRig()
  const row = await chargePoint(fresh, "CP-fleet")
  await chargePoint(fresh, "CP-idle")
  await fresh.store.change("goOnline", {
    organisationId: "default",
    chargePointId: row.id,
    nodeId: "n",
    epoch: 1,
    at: 1,
  })
  const request = { connectorId: 1, status: "Charging", errorCode: "NoError" } as const
  await fresh.store.change("reportStatus", { ...caller({ chargePointId: row.id }), request, statusAt: 1 })
  const answer = await fresh.ask(
    await fresh.token("Viewer"),
    "{ fleet { chargePoints online offline chargingNow activeTransactions powerNowW energyTodayWh connectorsByStatus { status connectors } } }",
  )
  expect(answer.data).toEqual({
    fleet: {
      chargePoints: 2,
      online: 1,
      offline: 1,
      chargingNow: 1,
      activeTransactions: 0,
      powerNowW: 0,
      energyTodayWh: 0,
      connectorsByStatus: [{ status: "CHARGING", connectors: 1 }],
    },
  })
})

test("the nodes of the cluster are listed", async () => {
  const { clusterNodes } = await data("{ clusterNodes { nodeId roles version } }")
  expect(clusterNodes).toEqual([{ nodeId: rig.bus.nodeId, roles: ["api"], version: "0.0.0" }])
})
