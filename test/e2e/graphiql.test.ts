/** The API in a real browser: what a person sees and does who opens its address. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import type { Browser, Page } from "playwright-core"
import { connectChargePoint } from "../../bench/charge-point.ts"
import { startBrowser, startVisit } from "../support/browser.ts"
import { createChargePoint, graphqlOver } from "../support/graphql.ts"
import { startTestNode, type TestNode } from "../support/node.ts"

let node: TestNode
let browser: Browser | undefined

beforeAll(async () => {
  node = await startTestNode()
  browser = await startBrowser()
})

afterAll(async () => {
  await browser?.close()
  await node?.[Symbol.asyncDispose]()
})

/** GraphiQL, by the hands and eyes of a person. */
class GraphiQL {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** Replaces the text of an editor, by the clipboard: typed brackets would close themselves. */
  async #write(editor: "operation.graphql" | "request-headers.json", text: string) {
    await this.#page.locator(`.monaco-editor[data-uri$="${editor}"]`).click()
    await this.#page.keyboard.press("ControlOrMeta+A")
    await this.#page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`)
    await this.#page.keyboard.press("ControlOrMeta+V")
  }

  /** Puts the token into the header that the page has prepared. */
  async authorize(token: string) {
    const lines = this.#page.locator('.monaco-editor[data-uri$="request-headers.json"] .view-lines')
    const prepared = await lines.filter({ hasText: "Bearer" }).textContent()
    if (prepared === null) throw new Error("no header is prepared")
    await this.#write("request-headers.json", prepared.replaceAll("\u00a0", " ").replace("Bearer ", `Bearer ${token}`))
  }

  write(operation: string) {
    return this.#write("operation.graphql", operation)
  }

  /** Runs the operation, or of several the one with this name; resolves when its answer begins. */
  async run(name?: string) {
    const answer = this.#page.waitForResponse((response) => response.request().resourceType() === "fetch")
    // GraphiQL reads what was written a moment later; with several operations the button opens a menu.
    const button = name === undefined ? ":not([aria-haspopup=menu])" : "[aria-haspopup=menu]"
    await this.#page.locator(`button[aria-label^="Execute query"]${button}`).click()
    if (name !== undefined) await this.#page.getByRole("menuitem", { name }).click()
    await answer
  }

  /** Waits until the result shows all of these, each within a line. */
  async sees(...texts: RegExp[]) {
    let result = this.#page.getByRole("region", { name: "Result Window" })
    for (const text of texts) result = result.filter({ hasText: text })
    await result.waitFor()
  }

  /** Loads the schema with the headers as they are now, and waits until its documentation names a type. */
  async seesDocumentationOf(type: string) {
    await this.#page.getByRole("button", { name: "Re-fetch GraphQL schema" }).click()
    await this.#page.getByRole("button", { name: "Show Documentation Explorer" }).click()
    await this.#page.locator(".graphiql-doc-explorer").getByText(type, { exact: true }).first().waitFor()
  }
}

/** Opens the API's address as somebody who was never there. */
async function visit() {
  if (browser === undefined) throw new Error("no browser")
  const visit = await startVisit(browser, new URL(node.graphqlUrl).origin)
  const page = await visit.context.newPage()
  await page.goto(node.graphqlUrl)
  const graphiql = new GraphiQL(page)
  // The page has asked for the schema by itself, without a token.
  await graphiql.sees(/"code":\s*"UNAUTHENTICATED"/)
  return Object.assign(visit, { graphiql })
}

test("a person without a token is told that one is needed", async () => {
  await using visitor = await visit()
  await visitor.graphiql.run("Fleet")
  await visitor.graphiql.sees(/"code":\s*"UNAUTHENTICATED"/)
  expect(visitor.strayRequests).toEqual([])
})

test("what the page offers a newcomer works: look, let a charge point in, watch it come", async () => {
  await using visitor = await visit()
  const { graphiql } = visitor
  await graphiql.authorize(node.token)
  await graphiql.seesDocumentationOf("Subscription")
  await graphiql.run("Fleet")
  await graphiql.sees(/"chargePoints":\s*0/)
  await graphiql.run("LetIn")
  await graphiql.sees(/"CreateChargePointPayload"/)
  await graphiql.run("Follow")
  await using _chargePoint = await connectChargePoint({ url: node.ocppUrl, identity: "CP-1" })
  await graphiql.sees(/"chargePointChanged"/, /"identity":\s*"CP-1"/, /"online":\s*true/)
  expect(visitor.strayRequests).toEqual([])
})

test("what a person writes is asked: a query, and a subscription that shows each change as it comes", async () => {
  await using visitor = await visit()
  const { graphiql } = visitor
  await graphiql.authorize(node.token)
  await graphiql.write("{ fleet { online } }")
  await graphiql.run()
  await graphiql.sees(/"fleet"/, /"online":\s*\d/)

  await createChargePoint(graphqlOver(node.graphqlUrl, node.token), { identity: "CP-2" })
  await graphiql.write("subscription { chargePointChanged { kind chargePoint { identity online } } }")
  await graphiql.run()
  const chargePoint = await connectChargePoint({ url: node.ocppUrl, identity: "CP-2" })
  await graphiql.sees(/"identity":\s*"CP-2"/, /"online":\s*true/)
  await chargePoint.close()
  await graphiql.sees(/"identity":\s*"CP-2"/, /"online":\s*false/)
  expect(visitor.strayRequests).toEqual([])
})
