/** Runs conformance cases as tests, one test per case, against a node as a user starts it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test"
import { documentId } from "../../bench/conformance/catalogue.ts"
import { connectApi } from "../../bench/conformance/operator.ts"
import type { Case } from "../../bench/conformance/stage.ts"
import { agree, play, type Target } from "../../bench/conformance/stage-hands.ts"
import { Transcript } from "../../bench/conformance/transcript.ts"
import { startTestNode } from "../support/node.ts"

// Many cases share one node at once.
setDefaultTimeout(60_000)

/** What a node stands on that is not its own. */
interface Ground extends AsyncDisposable {
  readonly environment: Record<string, string>
}

/** A node under test, and how the cases reach it. */
export interface NodeUnderTest extends AsyncDisposable {
  readonly target: Target
}

/** Starts a node on what `openGround` opens, or on its own SQLite and Redis. */
export async function startNodeUnderTest(openGround?: () => Promise<Ground>): Promise<NodeUnderTest> {
  await using opened = new AsyncDisposableStack()
  const ground = openGround && opened.use(await openGround())
  const node = opened.use(await startTestNode(ground?.environment))
  const api = opened.use(connectApi(node.graphqlUrl, node.token))
  const { values } = opened.use(await agree(api))
  const keep = opened.move()
  return {
    target: { ocppUrl: node.ocppUrl, api, values, patienceMs: 10_000, quietMs: 100 },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  }
}

/** One test per case, named by its id; the cases of a file run beside each other, each with a charge point of its own. */
export function testCases(cases: readonly Case[], openGround?: () => Promise<Ground>): void {
  let node: NodeUnderTest

  beforeAll(async () => {
    node = await startNodeUnderTest(openGround)
  })

  afterAll(() => node[Symbol.asyncDispose]())

  for (const testCase of cases) {
    test.concurrent(`${documentId(testCase)} ${testCase.name}`, async () => {
      expect(testCase.forms).not.toBeEmpty()
      for (const form of testCase.forms) await play({ id: testCase.id, form }, node.target, new Transcript())
    })
  }
}
