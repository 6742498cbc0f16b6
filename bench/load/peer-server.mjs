// A peer to compare with: ocpp-rpc's strict server, which holds every frame against the official schemas and stores
// nothing. Runs on Node and on Bun.
import { RPCServer } from "ocpp-rpc"

const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true })
let lastTransactionId = 0
const accepted = { idTagInfo: { status: "Accepted" } }
const answers = {
  Authorize: () => accepted,
  BootNotification: () => ({ status: "Accepted", currentTime: new Date().toISOString(), interval: 300 }),
  Heartbeat: () => ({ currentTime: new Date().toISOString() }),
  MeterValues: () => ({}),
  StartTransaction: () => ({ transactionId: ++lastTransactionId, ...accepted }),
  StatusNotification: () => ({}),
  StopTransaction: () => accepted,
}

server.auth((accept) => accept())
server.on("client", (client) => {
  for (const [action, answer] of Object.entries(answers)) client.handle(action, answer)
})
const http = await server.listen(0, "127.0.0.1")
console.log(`listening on ${http.address().port}.`)
// Whoever started us holds the other end: with its end comes ours.
process.stdin.on("end", () => process.exit(0)).resume()
