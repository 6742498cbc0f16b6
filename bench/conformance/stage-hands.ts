/** Sets the stage for a case: its own charge point and idTags, made through the API and removed afterwards. */
import type { Api } from "./operator.ts"
import { CaseFailed } from "./stage.ts"
import type { BenchValues, Case, Connecting, Payload, ScriptedChargePoint } from "./stage.ts"
import { connectStrictChargePoint } from "./strict-charge-point.ts"

export interface Target {
  /** Up to and including `/ocpp`. */
  ocppUrl: string
  api: Api
}

async function create(api: Api, mutation: string, inputType: string, input: Payload): Promise<void> {
  const { result } = await api.ask(
    `mutation ($input: ${inputType}!) { result: ${mutation}(input: $input) { __typename ... on Error { message } } }`,
    { input },
  )
  const { __typename, message } = result as Payload
  if (message !== undefined) throw new CaseFailed(`${mutation}: ${String(__typename)}: ${String(message)}`)
}

/** Runs one case against a central system. @throws CaseFailed with the reason. */
export async function runCase(testCase: Case, { ocppUrl, api }: Target): Promise<void> {
  // Names of their own, so that runs beside each other, or after one that was cut off, cannot meet.
  const suffix = crypto.randomUUID().slice(0, 8).toUpperCase()
  const identity = `OCTT-${testCase.id}-${suffix}`
  const values: BenchValues = {
    connectorId: 1,
    connectors: 2,
    validIdTag: `VALID-${suffix}`,
    unknownIdTag: `UNKNOWN-${suffix}`,
    expiredIdTag: `EXPIRED-${suffix}`,
    blockedIdTag: `BLOCKED-${suffix}`,
    vendor: "Busbar",
    model: "Conformance",
  }
  const idTags: Payload[] = [
    { idTag: values.validIdTag },
    { idTag: values.expiredIdTag, expiryDate: new Date(Date.now() - 86_400_000).toISOString() },
    { idTag: values.blockedIdTag, status: "BLOCKED" },
  ]
  const made: string[] = []
  const makeChargePoint = async (input: Payload & { identity: string }): Promise<void> => {
    await create(api, "createChargePoint", "CreateChargePointInput", input)
    made.push(input.identity)
  }
  for (const input of idTags) await create(api, "createIdTag", "CreateIdTagInput", input)
  await using connections = new AsyncDisposableStack()
  const connect = async (connecting: Connecting = {}): Promise<ScriptedChargePoint> =>
    connections.use(await connectStrictChargePoint({ url: ocppUrl, identity, ...connecting }))
  try {
    await makeChargePoint({ identity })
    const chargePoint = await connect()
    await testCase.run({
      chargePoint,
      operator: api.operatorOf(identity),
      operatorOf: (name) => api.operatorOf(name),
      values,
      suffix,
      makeChargePoint,
      connect,
    })
  } finally {
    for (const name of made) await create(api, "deleteChargePoint", "DeleteChargePointInput", { identity: name })
    for (const { idTag } of idTags) await create(api, "deleteIdTag", "DeleteIdTagInput", { idTag })
  }
}
