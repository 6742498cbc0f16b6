/** Runs conformance cases as tests, one test per case, against a node as a user starts it. */
import { afterAll, beforeAll, test } from "bun:test"
import { connectApi } from "../../bench/conformance/operator.ts"
import type { Api } from "../../bench/conformance/operator.ts"
import type { Case } from "../../bench/conformance/stage.ts"
import { runCase } from "../../bench/conformance/stage-hands.ts"
import { startTestNode } from "../support/node.ts"
import type { TestNode } from "../support/node.ts"

/** One test per case, named by its id. */
export function testCases(cases: readonly Case[]): void {
  let node: TestNode
  let api: Api

  beforeAll(async () => {
    node = await startTestNode()
    api = connectApi(node.graphqlUrl, node.token)
  })

  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await node[Symbol.asyncDispose]()
  })

  for (const testCase of cases)
    test(`${testCase.id} ${testCase.name}`, () => runCase(testCase, { ocppUrl: node.ocppUrl, api }))
}
