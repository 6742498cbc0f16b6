/** Charge points and idTags that the bench makes through the API, and removes again. */
import { atOnce } from "./at-once.ts"
import type { Api } from "./operator.ts"
import { CaseFailed } from "./stage.ts"
import type { Payload } from "./stage.ts"

const REMOVALS_AT_ONCE = 8

/** What one part of the run has made. */
export class Properties {
  readonly #api: Api
  readonly #removals: (() => Promise<void>)[] = []

  constructor(api: Api) {
    this.#api = api
  }

  /** `input` is that of createChargePoint. @throws CaseFailed in the API's own words. */
  async chargePoint(input: Payload & { identity: string }): Promise<void> {
    await change(this.#api, "createChargePoint", input)
    this.#removals.push(() => change(this.#api, "deleteChargePoint", { identity: input.identity }))
  }

  /** `input` is that of createIdTag. @throws CaseFailed in the API's own words. */
  async idTag(input: Payload & { idTag: string }): Promise<void> {
    await change(this.#api, "createIdTag", input)
    this.#removals.push(() => change(this.#api, "deleteIdTag", { idTag: input.idTag }))
  }

  /** Removes everything, also after one removal failed. @throws the first failure. */
  remove(): Promise<void> {
    return atOnce(REMOVALS_AT_ONCE, this.#removals.splice(0))
  }
}

async function change(api: Api, mutation: string, input: Payload): Promise<void> {
  const inputType = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
  const { result } = await api.ask(
    `mutation ($input: ${inputType}!) { result: ${mutation}(input: $input) { __typename ... on Error { message } } }`,
    { input },
  )
  const { __typename, message } = result as Payload
  if (message !== undefined) throw new CaseFailed(`${mutation}: ${String(__typename)}: ${String(message)}`)
}
