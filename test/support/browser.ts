/** A real browser, as a person uses it: the Chromium that the tests' preparation has found or installed. */
import { type Browser, type BrowserContext, chromium } from "playwright-core"
import { findChromium } from "../../scripts/provision.mjs"

/** Starts a browser with an empty profile; whoever starts it closes it. */
export function startBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error("no Chromium here")
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox", // which root, as in a container, cannot have
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  })
}

export interface Visit extends AsyncDisposable {
  readonly context: BrowserContext
  /** Whatever its pages asked of other origins than the one visited. */
  readonly strayRequests: readonly string[]
}

/** A visit to one origin by somebody who was never there before: no cookies, nothing stored. */
export async function startVisit(browser: Browser, origin: string): Promise<Visit> {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] })
  // Sooner than a test's own end, so that the failure names what never came.
  context.setDefaultTimeout(15_000)
  const strayRequests: string[] = []
  const note = (url: string) => {
    const { protocol, host } = new URL(url)
    const isOwn = host === new URL(origin).host || protocol === "data:" || protocol === "blob:"
    if (!isOwn) strayRequests.push(url)
  }
  context.on("request", (request) => note(request.url()))
  context.on("page", (page) => page.on("websocket", (socket) => note(socket.url())))
  return { context, strayRequests, [Symbol.asyncDispose]: () => context.close() }
}
