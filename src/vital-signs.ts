/** How a node is watched: that it lives, that it serves, and its figures, on the listener for people. */
import type { Log } from "./log.ts"

export interface VitalSigns {
  /** Whether the node serves: store, Redis and its listeners. */
  isReady: () => boolean | Promise<boolean>
  /** What `/metrics` shows. */
  metrics: { contentType: string; metrics(): Promise<string> }
}

/** The answer to `/healthz`, `/readyz` or `/metrics`; undefined for any other path. */
export async function vitalSign(pathname: string, { isReady, metrics }: VitalSigns): Promise<Response | undefined> {
  switch (pathname) {
    case "/healthz":
      return new Response("alive\n")
    case "/readyz":
      return (await isReady()) ? new Response("ready\n") : new Response("not ready\n", { status: 503 })
    case "/metrics":
      return new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } })
    default:
      return undefined
  }
}

/** The listener of a node that does not serve the API: its vital signs and nothing else. @throws where the port is taken. */
export function showVitalSigns(
  { host, port, log }: { host: string; port: number; log: Log },
  signs: VitalSigns,
): AsyncDisposable & { readonly port: number } {
  const server = Bun.serve({
    hostname: host,
    port,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      return (await vitalSign(pathname, signs)) ?? new Response("not found\n", { status: 404 })
    },
    error(cause) {
      log.error({ err: cause }, "a vital sign could not be shown")
      return new Response(null, { status: 500 })
    },
  })
  return {
    port: server.port ?? port,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
