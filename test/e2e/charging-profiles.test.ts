/** Charging profiles from the operator to the charge point and back, with a charge point that is not ours. */
import { expect, test } from "bun:test"
import type { Payload, ScriptedChargePoint } from "../../bench/conformance/stage.ts"
import { type Ask, createIdTag, graphqlOver } from "../support/graphql.ts"
import { startTestNode } from "../support/node.ts"
import { bootedChargePoint } from "../support/scripted.ts"

const profile = (chargingProfileId: number, change: Payload = {}) => ({
  chargingProfileId,
  stackLevel: 0,
  chargingProfilePurpose: "TX_DEFAULT_PROFILE",
  chargingProfileKind: "RELATIVE",
  chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
  ...change,
})

const TX_PROFILE = { chargingProfilePurpose: "TX_PROFILE" }

/** An operator who performs operations on one charge point, which answers them so. */
function operatorOf(chargePoint: ScriptedChargePoint, ask: Ask) {
  const { identity } = chargePoint

  async function perform(action: string, input: Payload, status: string): Promise<Payload> {
    const name = action.charAt(0).toLowerCase() + action.slice(1)
    const { request, result } = await chargePoint.answering(action, { status }, () =>
      ask(
        `mutation ($input: ${action}Input!) { result: ${name}(input: $input) {
          __typename ... on ${action}Confirmation { status } ... on Error { message }
        } }`,
        { input: { chargePoint: identity, ...input } },
      ),
    )
    const word = status.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()
    expect(result["result"]).toEqual({ __typename: `${action}Confirmation`, status: word })
    return request
  }

  return {
    set: (connectorId: number, csChargingProfiles: Payload, status = "Accepted") =>
      perform("SetChargingProfile", { connectorId, csChargingProfiles }, status),
    clear: (input: Payload, status = "Accepted") => perform("ClearChargingProfile", input, status),
    remoteStart: (input: Payload) => perform("RemoteStartTransaction", input, "Accepted"),
    async held() {
      const { chargePoint: found } = await ask<{ chargePoint: { chargingProfiles: Payload[] } }>(
        `query ($identity: String!) { chargePoint(identity: $identity) {
          chargingProfiles { chargingProfileId connectorId transactionId command { state } }
        } }`,
        { identity },
      )
      return found.chargingProfiles
    },
    /** The limit on connector 1 now. */
    async limit() {
      const { chargePoint: found } = await ask<{
        chargePoint: { compositeSchedule: { chargingSchedulePeriod: { limit: number | null }[] } }
      }>(
        `query ($identity: String!) { chargePoint(identity: $identity) {
          compositeSchedule(connectorId: 1, duration: 1) {
            ... on CompositeSchedule { chargingSchedulePeriod { limit } }
          }
        } }`,
        { identity },
      )
      return found.compositeSchedule.chargingSchedulePeriod.map(({ limit }) => limit)
    },
  }
}

const start = (idTag: string) => ({ connectorId: 1, idTag, meterStart: 0, timestamp: new Date().toISOString() })
const stop = (transactionId: unknown) => ({ transactionId, meterStop: 1, timestamp: new Date().toISOString() })

test("what a charge point accepts is held and counts, what it refuses is not, and what it clears is gone", async () => {
  await using node = await startTestNode()
  const ask = graphqlOver(node.graphqlUrl, node.token)
  await using chargePoint = await bootedChargePoint(node, "PROFILED")
  const operator = operatorOf(chargePoint, ask)
  await createIdTag(ask, { idTag: "Alice" })

  const limited = { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] }
  const absolute = {
    chargingProfileKind: "ABSOLUTE",
    chargingSchedule: { ...limited, startSchedule: "2020-01-01T00:00:00Z" },
  }
  await operator.set(1, profile(1, absolute))
  await operator.set(0, profile(2, { ...absolute, chargingProfilePurpose: "CHARGE_POINT_MAX_PROFILE" }), "Rejected")
  expect(await operator.held()).toEqual([
    { chargingProfileId: 1, connectorId: 1, transactionId: null, command: { state: "ANSWERED" } },
  ])
  expect(await operator.limit()).toEqual([10])

  // A TxProfile for a transaction that nobody knows goes out, and its refusal leaves all as it is.
  const request = await operator.set(1, profile(3, { ...TX_PROFILE, transactionId: 4711 }), "Rejected")
  expect(request["csChargingProfiles"]).toMatchObject({ transactionId: 4711 })

  const remote = await operator.remoteStart({ idTag: "Alice", connectorId: 1, chargingProfile: profile(4, TX_PROFILE) })
  expect(remote).toEqual({
    idTag: "Alice",
    connectorId: 1,
    chargingProfile: {
      chargingProfileId: 4,
      stackLevel: 0,
      chargingProfilePurpose: "TxProfile",
      chargingProfileKind: "Relative",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
    },
  })
  expect(await operator.limit()).toEqual([10])
  const { transactionId } = await chargePoint.call("StartTransaction", start("Alice"))
  expect(await operator.held()).toMatchObject([{ chargingProfileId: 1 }, { chargingProfileId: 4, transactionId }])
  expect(await operator.limit()).toEqual([16])
  await chargePoint.call("StopTransaction", stop(transactionId))
  expect(await operator.limit()).toEqual([10])

  expect(await operator.clear({ id: 1 })).toEqual({ id: 1 })
  expect(await operator.held()).toEqual([])
  expect(await operator.limit()).toEqual([null])
  await chargePoint.settle()
}, 30_000)
