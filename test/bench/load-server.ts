/** A central system that can be told to do the wrong thing with one CALL, and does the right thing with all others. */

/** What to do with a CALL. `now` answers others' CALLs too: what was held back before. */
export type Misdeed = (call: { id: string; action: string; answer: string }, say: (text: string) => void) => void

const ANSWERS: Readonly<Record<string, unknown>> = {
  Authorize: { idTagInfo: { status: "Accepted" } },
  BootNotification: { status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 },
  Heartbeat: { currentTime: "2026-01-01T00:00:00Z" },
  StartTransaction: { transactionId: 7, idTagInfo: { status: "Accepted" } },
}

export interface FaultyServer extends AsyncDisposable {
  readonly url: string
  /** Frames as they came, of every charger. */
  readonly received: unknown[][]
}

/** @param misdeed is done to the third Heartbeat of each charger */
export function startFaultyServer(misdeed: Misdeed | undefined): FaultyServer {
  const received: unknown[][] = []
  const server = Bun.serve<{ heartbeats: number; owed: string[] }>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, serving) =>
      serving.upgrade(request, {
        headers: { "Sec-WebSocket-Protocol": "ocpp1.6" },
        data: { heartbeats: 0, owed: [] },
      })
        ? undefined
        : new Response(null, { status: 404 }),
    websocket: {
      message(socket, text) {
        const frame = JSON.parse(String(text)) as unknown[]
        received.push(frame)
        const [type, id, action] = frame
        if (type !== 2) return
        const answer = JSON.stringify([3, id, ANSWERS[String(action)] ?? {}])
        const isThird = action === "Heartbeat" && ++socket.data.heartbeats === 3
        if (isThird && misdeed) {
          misdeed({ id: String(id), action: String(action), answer }, (wrong) => {
            // What begins with "later:" is said only when the charger has given up and comes with its next CALL.
            if (wrong.startsWith("later:")) socket.data.owed.push(wrong.slice(6))
            else socket.send(wrong)
          })
          return
        }
        for (const owed of socket.data.owed.splice(0)) socket.send(owed)
        socket.send(answer)
      },
    },
  })
  return {
    url: `ws://127.0.0.1:${server.port}/ocpp`,
    received,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
