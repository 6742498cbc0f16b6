/** Sets the stage for a case: a charge point of its own, made through the API and removed afterwards. */
import type { Api } from "./operator.ts"
import { Properties } from "./properties.ts"
import { CaseFailed, within } from "./stage.ts"
import type { BenchValues, Connecting, Form, Payload, ScriptedChargePoint } from "./stage.ts"
import { connectStrictChargePoint } from "./strict-charge-point.ts"
import type { Transcript } from "./transcript.ts"

export interface Target {
  /** Up to and including `/ocpp`. */
  ocppUrl: string
  api: Api
  values: BenchValues
  /** How long the central system has for an answer or an expected CALL, ms. */
  patienceMs: number
  /** How long a charge point goes on listening after its last step for what nobody asked for, ms. */
  quietMs: number
  /** When it fires, the case ends as it is and cleans up. */
  stop?: AbortSignal
}

/** A case that has not ended after so many times the patience never will. */
const STEPS_OF_PATIENCE = 6

/** Names of their own, so that runs beside each other, or after one that was cut off, cannot meet. */
const newSuffix = (): string => crypto.randomUUID().slice(0, 8).toUpperCase()

/** What bench and central system agree on: idTags that all cases share, as they do in a certification. */
export interface Agreement extends AsyncDisposable {
  readonly values: BenchValues
}

/** Makes the idTags; disposing removes them. @throws CaseFailed in the API's own words. */
export async function agree(api: Api): Promise<Agreement> {
  const suffix = newSuffix()
  const values: BenchValues = {
    connectorId: 1,
    connectors: 2,
    validIdTag: `VALID-${suffix}`,
    parentIdTag: `PARENT-${suffix}`,
    childIdTag: `CHILD-${suffix}`,
    siblingIdTag: `SIBLING-${suffix}`,
    unknownIdTag: `UNKNOWN-${suffix}`,
    expiredIdTag: `EXPIRED-${suffix}`,
    blockedIdTag: `BLOCKED-${suffix}`,
    vendor: "Busbar",
    model: "Conformance",
    reservationS: 2,
    heartbeatIntervalS: 1,
  }
  const { validIdTag, parentIdTag, childIdTag, siblingIdTag, expiredIdTag, blockedIdTag } = values
  const properties = new Properties(api)
  await using cleaning = new AsyncDisposableStack()
  cleaning.defer(() => properties.remove())
  await properties.idTag({ idTag: validIdTag })
  for (const idTag of [childIdTag, siblingIdTag]) await properties.idTag({ idTag, parentIdTag })
  await properties.idTag({ idTag: expiredIdTag, expiryDate: new Date(Date.now() - 86_400_000).toISOString() })
  await properties.idTag({ idTag: blockedIdTag, status: "BLOCKED" })
  const kept = cleaning.move()
  return { values, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Plays one form of a case against a central system. @throws CaseFailed with the reason. */
export async function play(
  { id, form }: { id: string; form: Form },
  target: Target,
  transcript: Transcript,
): Promise<void> {
  const { ocppUrl, api, values, patienceMs, quietMs, stop } = target
  const suffix = newSuffix()
  const identity = `OCTT-${id}-${suffix}`
  const properties = new Properties(api)
  const connections: ScriptedChargePoint[] = []
  let over = false
  const connect = async (connecting: Connecting = {}): Promise<ScriptedChargePoint> => {
    if (over) throw new CaseFailed("the case is over")
    const options = { url: ocppUrl, identity, patienceMs, quietMs, transcript, ...connecting }
    const chargePoint = await connectStrictChargePoint(options)
    connections.push(chargePoint)
    return chargePoint
  }
  const until = async (
    sentence: string,
    holds: (seen: Payload) => boolean,
    document: string,
    variables: Payload = { identity },
  ): Promise<void> => {
    const deadline = performance.now() + patienceMs
    transcript.step("operator", `looks until ${sentence}`)
    for (let seen = await api.ask(document, variables); !holds(seen); seen = await api.ask(document, variables)) {
      if (performance.now() > deadline)
        throw new CaseFailed(`not so: ${sentence}; the API shows ${JSON.stringify(seen)}`)
      await Bun.sleep(20)
    }
  }
  const enact = async (): Promise<void> => {
    await properties.chargePoint({ identity, heartbeatIntervalS: values.heartbeatIntervalS })
    const operatorOf = (name: string) => api.operatorOf(name, patienceMs, transcript)
    await form.run({
      chargePoint: await connect(),
      operator: operatorOf(identity),
      operatorOf,
      values,
      suffix,
      makeChargePoint: (input) => properties.chargePoint(input),
      connect,
      until,
    })
    await Promise.all(connections.map((chargePoint) => chargePoint.settle()))
  }
  const playing = enact()
  try {
    const limitMs = STEPS_OF_PATIENCE * patienceMs + values.reservationS * 1000
    await within(limitMs, stop ? Promise.race([playing, stopped(stop)]) : playing, `no end after ${limitMs} ms`)
  } finally {
    over = true
    for (const chargePoint of connections) await chargePoint[Symbol.asyncDispose]()
    // A script that was left in the middle must not make anything after all has been removed.
    await within(patienceMs, playing, "").catch(() => undefined)
    await properties.remove()
  }
}

async function stopped(stop: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener("abort", () => resolve(), { once: true })
  })
  throw new CaseFailed("the run was interrupted")
}
