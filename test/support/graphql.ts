/** Asks the API over plain HTTP, as any program would. */

type Data = Record<string, unknown>

/** A function that asks one API with one token. @throws Error with the GraphQL errors' messages. */
export function graphqlOver(url: string, token: string) {
  return async <Result = Data>(query: string, variables: Data = {}): Promise<Result> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as { data?: Result; errors?: { message: string }[] }
    if (errors !== undefined || data === undefined)
      throw new Error(errors?.map(({ message }) => message).join("; ") ?? `HTTP ${response.status}`)
    return data
  }
}

export type Ask = ReturnType<typeof graphqlOver>

/** Makes a charge point. @throws Error for any answer but the payload. */
export async function createChargePoint(ask: Ask, input: Data): Promise<void> {
  await made(
    ask,
    `mutation ($input: CreateChargePointInput!) {
      result: createChargePoint(input: $input) { __typename ... on Error { message } }
    }`,
    input,
  )
}

/** Makes an idTag. @throws Error for any answer but the payload. */
export async function createIdTag(ask: Ask, input: Data): Promise<void> {
  await made(
    ask,
    `mutation ($input: CreateIdTagInput!) { result: createIdTag(input: $input) { __typename ... on Error { message } } }`,
    input,
  )
}

async function made(ask: Ask, mutation: string, input: Data): Promise<void> {
  const { result } = await ask<{ result: { __typename: string; message?: string } }>(mutation, { input })
  if (result.message !== undefined) throw new Error(`${result.__typename}: ${result.message}`)
}
