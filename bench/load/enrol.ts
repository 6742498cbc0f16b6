/** Makes a fleet of thousands known to a central system over GraphQL, many in one document, and takes it away again. */
import type { Node } from "./servers.ts"

const PER_DOCUMENT = 20
const AT_ONCE = 8

export interface Enrolled extends AsyncDisposable {
  readonly identities: readonly string[]
  readonly idTags: readonly string[]
}

type Api = Pick<Node, "graphqlUrl" | "token">

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

/** Makes so many charge points and idTags, with names that no other run has. @throws Error in the API's own words */
export async function enrol(
  api: Api,
  { chargers, idTags, password }: { chargers: number; idTags: number; password?: string },
): Promise<Enrolled> {
  const run = crypto.randomUUID().slice(0, 6).toUpperCase()
  const names = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => `${prefix}${run}-${String(index + 1).padStart(5, "0")}`)
  const enrolled = { identities: names(chargers, "LOAD-"), idTags: names(idTags, "TAG-") }
  const secret = password === undefined ? {} : { password }
  await change(
    api,
    "createIdTag",
    enrolled.idTags.map((idTag) => ({ idTag })),
  )
  await change(
    api,
    "createChargePoint",
    enrolled.identities.map((identity) => ({ identity, ...secret })),
  )
  return {
    ...enrolled,
    async [Symbol.asyncDispose]() {
      await change(
        api,
        "deleteChargePoint",
        enrolled.identities.map((identity) => ({ identity })),
      )
      await change(
        api,
        "deleteIdTag",
        enrolled.idTags.map((idTag) => ({ idTag })),
      )
    },
  }
}

async function change(api: Api, mutation: string, inputs: readonly object[]): Promise<void> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`
  const parts = Array.from({ length: Math.ceil(inputs.length / PER_DOCUMENT) }, (_, index) =>
    inputs.slice(index * PER_DOCUMENT, (index + 1) * PER_DOCUMENT),
  ).values()
  const work = async () => {
    for (const part of parts) {
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
      if (refused) throw new Error(`${mutation}: ${refused.__typename}: ${refused.message}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
