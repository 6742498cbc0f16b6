/** What an operator and a charge point do with files on one node. */
import { type ChargePoint, connectChargePoint } from "../../bench/charge-point.ts"
import { createChargePoint, graphqlOver } from "./graphql.ts"
import type { TestNode } from "./node.ts"

export interface Image {
  id: string
  fileName: string
  sha256: string
  sizeBytes: number
}

/** A request for diagnostics as the API shows it. */
export interface ShownDiagnostics {
  id: string
  state: string
  fileName: string | null
  sizeBytes: number | null
  sha256: string | null
  status: string | null
  downloadPath: string | null
}

/** What a mutation came to: its type, and the fields of its confirmation. */
export interface Outcome {
  __typename: string
  message?: string
  command?: { id: string; state: string; request: unknown }
  diagnostics?: ShownDiagnostics
}

const DIAGNOSTICS = "id state fileName sizeBytes sha256 status downloadPath"

export const sha256 = (bytes: Uint8Array | string): string => new Bun.CryptoHasher("sha256").update(bytes).digest("hex")

/** The node's address for people. */
export const deskOf = ({ graphqlUrl }: TestNode): string => graphqlUrl.replace(/\/graphql$/, "")

/** Brings an image as an operator does. */
export async function bringImage(
  node: TestNode,
  bytes: Uint8Array,
  query: Record<string, string> = {},
  token = node.token,
): Promise<Response> {
  const described = new URLSearchParams({ name: "An image", version: "1.0", fileName: "fw.bin", ...query })
  return fetch(`${deskOf(node)}/files/firmware?${described}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: bytes,
  })
}

export async function imageOn(node: TestNode, bytes: Uint8Array, query: Record<string, string> = {}): Promise<Image> {
  const response = await bringImage(node, bytes, query)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Image
}

/** A charge point that takes every update and every request for diagnostics, and remembers where it was sent. */
export async function takingChargePoint(node: TestNode, identity: string): Promise<Taking> {
  const ask = graphqlOver(node.graphqlUrl, node.token)
  await createChargePoint(ask, { identity })
  const chargePoint = await connectChargePoint({ url: node.ocppUrl, identity })
  const told: Record<string, unknown>[] = []
  chargePoint.onCall("UpdateFirmware", (request) => {
    told.push(request as Record<string, unknown>)
    return {}
  })
  chargePoint.onCall("GetDiagnostics", (request) => {
    told.push(request as Record<string, unknown>)
    return { fileName: "answered.txt" }
  })
  await chargePoint.boot()
  return new Taking(chargePoint, told)
}

export class Taking implements AsyncDisposable {
  readonly chargePoint: ChargePoint
  /** The requests as they stood on the wire. */
  readonly told: Record<string, unknown>[]

  constructor(chargePoint: ChargePoint, told: Record<string, unknown>[]) {
    this.chargePoint = chargePoint
    this.told = told
  }

  /** Where the last request sent it. */
  get location(): string {
    return String(this.told.at(-1)?.["location"])
  }

  async updateFirmware(node: TestNode, input: Record<string, unknown>): Promise<Outcome> {
    return this.#ask(node, "updateFirmware", "UpdateFirmware", {
      retrieveDate: new Date().toISOString(),
      ...input,
    })
  }

  async getDiagnostics(node: TestNode, input: Record<string, unknown> = {}): Promise<Outcome> {
    return this.#ask(node, "getDiagnostics", "GetDiagnostics", input, `diagnostics { ${DIAGNOSTICS} }`)
  }

  async getConfiguration(node: TestNode): Promise<Outcome> {
    return this.#ask(node, "getConfiguration", "GetConfiguration", {})
  }

  /** Its requests for diagnostics, newest first. */
  async diagnostics(node: TestNode, token = node.token): Promise<ShownDiagnostics[]> {
    const { chargePoint } = await graphqlOver(node.graphqlUrl, token)<{
      chargePoint: { diagnosticsRequests: { edges: { node: ShownDiagnostics }[] } }
    }>(
      `query ($identity: String!) {
        chargePoint(identity: $identity) { diagnosticsRequests { edges { node { ${DIAGNOSTICS} } } } }
      }`,
      { identity: this.chargePoint.identity },
    )
    return chargePoint.diagnosticsRequests.edges.map((edge) => edge.node)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.chargePoint[Symbol.asyncDispose]()
  }

  async #ask(
    node: TestNode,
    name: string,
    action: string,
    input: Record<string, unknown>,
    more = "",
  ): Promise<Outcome> {
    const { result } = await graphqlOver(node.graphqlUrl, node.token)<{ result: Outcome }>(
      `mutation ($input: ${action}Input!) {
        result: ${name}(input: $input) {
          __typename
          ... on Error { message }
          ... on ${action}Confirmation { command { id state request } ${more} }
        }
      }`,
      { input: { chargePoint: this.chargePoint.identity, ...input } },
    )
    return result
  }
}
