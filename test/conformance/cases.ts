/** Runs conformance cases as tests, one test per case, against a node as a user starts it. */
import { afterAll, beforeAll, test } from "bun:test"
import { connectApi } from "../../bench/conformance/operator.ts"
import type { Api } from "../../bench/conformance/operator.ts"
import type { Case } from "../../bench/conformance/stage.ts"
import { runCase } from "../../bench/conformance/stage-hands.ts"
import { startTestNode } from "../support/node.ts"
import type { TestNode } from "../support/node.ts"

/** What a node stands on that is not its own. */
interface Ground extends AsyncDisposable {
  readonly environment: Record<string, string>
}

/** One test per case, named by its id; the node stands on what `openGround` opens, or on its own SQLite and Redis. */
export function testCases(cases: readonly Case[], openGround?: () => Promise<Ground>): void {
  let ground: Ground | undefined
  let node: TestNode
  let api: Api

  beforeAll(async () => {
    ground = await openGround?.()
    node = await startTestNode(ground?.environment)
    api = connectApi(node.graphqlUrl, node.token)
  })

  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await node[Symbol.asyncDispose]()
    await ground?.[Symbol.asyncDispose]()
  })

  for (const testCase of cases)
    test(`${testCase.id} ${testCase.name}`, () => runCase(testCase, { ocppUrl: node.ocppUrl, api }))
}
