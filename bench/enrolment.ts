/** Makes known to the central system, over GraphQL, what a fleet needs: its charge points and their idTags. */

export interface Enrolment {
  /** The GraphQL endpoint. */
  url: string
  token: string
}

const AT_ONCE = 8

const CREATE_CHARGE_POINT = `mutation ($identity: String!, $password: String) {
  created: createChargePoint(input: { identity: $identity, password: $password }) {
    __typename
    ... on Error { message }
  }
}`
const CREATE_CHARGE_POINT_OPEN = `mutation ($identity: String!) {
  created: createChargePoint(input: { identity: $identity }) {
    __typename
    ... on Error { message }
  }
}`
const CREATE_ID_TAG = `mutation ($idTag: String!) {
  created: createIdTag(input: { idTag: $idTag }) {
    __typename
    ... on Error { message }
  }
}`

interface Answer {
  data?: { created?: { __typename: string; message?: string } | null } | null
  errors?: { message: string }[]
}

/** Creates what is missing; what exists already stays as it is. Throws with the API's own words when it refuses. */
export async function enrol(
  api: Enrolment,
  identities: readonly string[],
  idTags: readonly string[],
  password?: string,
): Promise<void> {
  const document = password === undefined ? CREATE_CHARGE_POINT_OPEN : CREATE_CHARGE_POINT
  const wishes = [
    ...idTags.map((idTag) => () => create(api, CREATE_ID_TAG, { idTag })),
    ...identities.map(
      (identity) => () => create(api, document, { identity, ...(password !== undefined && { password }) }),
    ),
  ]
  const queue = wishes.values()
  const work = async () => {
    for (const wish of queue) await wish()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

async function create({ url, token }: Enrolment, query: string, variables: Record<string, string>): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  const answer = readAnswer(text)
  const failure = answer?.errors?.[0]?.message
  const created = answer?.data?.created
  const subject = variables["identity"] ?? variables["idTag"]
  if (failure !== undefined || !created)
    throw new Error(`${subject}: ${failure ?? `HTTP ${response.status} ${text.slice(0, 200)}`}`)
  if (created.message === undefined || /exist|taken|already/i.test(`${created.__typename} ${created.message}`)) return
  throw new Error(`${subject}: ${created.message}`)
}

function readAnswer(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return undefined
  }
}
