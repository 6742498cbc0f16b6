/** Makes a fleet of thousands known to a central system over GraphQL, many in one document, and takes it away again. */
import type { Node } from "./servers.ts"
import { stopping } from "./stopping.ts"

const PER_DOCUMENT = 20
const AT_ONCE = 8

export interface Enrolled extends AsyncDisposable {
  readonly identities: readonly string[]
  readonly idTags: readonly string[]
}

type Api = Pick<Node, "graphqlUrl" | "token">

export interface EnrolmentPlan {
  chargers: number
  idTags: number
  password?: string
  /** Whether all of it stays where it is made, and goes with the node. */
  stays?: boolean
}

/** Asks the API. @throws Error in its own words */
export async function ask<Data>({ graphqlUrl, token }: Api, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(graphqlUrl.replace(/^ws/, "http"), {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await response.text()
  let answer: { data?: Data; errors?: { message: string }[] }
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error(`the API answered ${response.status} ${text.slice(0, 200)}`)
  }
  if (answer.errors !== undefined || !answer.data)
    throw new Error(answer.errors?.map(({ message }) => message).join("; ") ?? `HTTP ${response.status}`)
  return answer.data
}

/**
 * Makes so many charge points and idTags, with names that no other run has; disposing removes them.
 * @throws Error in the API's own words, Stopped when the run is to end; what was made is removed first
 */
export async function enrol(api: Api, { chargers, idTags, password, stays = false }: EnrolmentPlan): Promise<Enrolled> {
  const run = crypto.randomUUID().slice(0, 6).toUpperCase()
  const names = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => `${prefix}${run}-${String(index + 1).padStart(5, "0")}`)
  const enrolled = { identities: names(chargers, "LOAD-"), idTags: names(idTags, "TAG-") }
  const secret = password === undefined ? {} : { password }
  const tags = enrolled.idTags.map((idTag) => ({ idTag }))
  const chargePoints = enrolled.identities.map((identity) => ({ identity }))
  const begun = { tags: 0, chargePoints: 0 }
  const remove = async (mayLack: boolean): Promise<void> => {
    if (stays) return
    await change(api, "deleteChargePoint", chargePoints.slice(0, begun.chargePoints), { mayLack })
    await change(api, "deleteIdTag", tags.slice(0, begun.tags), { mayLack })
  }
  try {
    await change(api, "createIdTag", tags, {
      signal: stopping,
      begins(count) {
        begun.tags += count
      },
    })
    const made = chargePoints.map((input) => ({ ...input, ...secret }))
    await change(api, "createChargePoint", made, {
      signal: stopping,
      begins(count) {
        begun.chargePoints += count
      },
    })
  } catch (cause) {
    await remove(true).catch(() => undefined) // why it was not made says more
    throw cause
  }
  return { ...enrolled, [Symbol.asyncDispose]: () => remove(false) }
}

interface Manner {
  /** Between documents: one that is under way is ended. */
  signal?: AbortSignal
  /** So many more are under way, in their order. */
  begins?: (count: number) => void
  /** Whether a refusal is no failure: what is to be removed was perhaps never made. */
  mayLack?: boolean
}

async function change(
  api: Api,
  mutation: string,
  inputs: readonly object[],
  { signal, begins, mayLack = false }: Manner,
): Promise<void> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`
  const parts = Array.from({ length: Math.ceil(inputs.length / PER_DOCUMENT) }, (_, index) =>
    inputs.slice(index * PER_DOCUMENT, (index + 1) * PER_DOCUMENT),
  ).values()
  const failures: unknown[] = []
  const work = async () => {
    for (const part of parts) {
      signal?.throwIfAborted()
      if (failures.length > 0) return
      begins?.(part.length)
      const variables = part.map((_, index) => `$i${index}: ${type}`).join(", ")
      const fields = part.map(
        (_, index) => `r${index}: ${mutation}(input: $i${index}) { __typename ... on Error { message } }`,
      )
      const answers = await ask<Record<string, { __typename: string; message?: string }>>(
        api,
        `mutation (${variables}) { ${fields.join(" ")} }`,
        Object.fromEntries(part.map((input, index) => [`i${index}`, input])),
      )
      const refused = Object.values(answers).find(({ message }) => message !== undefined)
      if (refused && !mayLack) throw new Error(`${mutation}: ${refused.__typename}: ${refused.message}`)
    }
  }
  // Nothing is under way any more when this fails.
  await Promise.all(Array.from({ length: AT_ONCE }, () => work().catch((cause: unknown) => failures.push(cause))))
  if (failures.length > 0) throw failures[0]
}
