import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { RPCClient } from "ocpp-rpc"
import { basic, bootNotification, clientFrame, type Rig, startRig } from "./rig.ts"

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig[Symbol.asyncDispose]())

/** The status of an upgrade written by hand; the socket is closed again. */
async function statusOf(path: string, headers: Record<string, string | null> = {}, method = "GET") {
  const { status, socket } = await rig.knock({ path, headers, method })
  socket.destroy()
  return status
}

describe("the upgrade", () => {
  test("is answered with exactly ocpp1.6, wherever it stands in the list of offered subprotocols", async () => {
    await rig.announce("offers")
    for (const offered of ["ocpp1.6", "ocpp2.0.1, ocpp1.6", "ocpp1.6,ocpp1.5", "ocpp1.2 , ocpp1.6 ,ocpp2.0"]) {
      const headers = { "Sec-WebSocket-Protocol": offered }
      const { status, headers: answered, socket } = await rig.knock({ path: "/ocpp/offers", headers })
      socket.destroy()
      expect([status, answered.get("sec-websocket-protocol")]).toEqual([101, "ocpp1.6"])
    }
  })

  test("serves a strict client of another make", async () => {
    await rig.announce("AL1000", { password: "0001020304050607ffffffffffffffffffffffff" })
    const options = {
      endpoint: `ws://127.0.0.1:${rig.gateway.port}/ocpp`,
      identity: "AL1000",
      password: Buffer.from("0001020304050607ffffffffffffffffffffffff", "hex"),
      protocols: ["ocpp1.6"],
      strictMode: true,
    }
    // Its types ask for every option and know no binary password; its documentation and code differ.
    const client = new (RPCClient as new (options: object) => RPCClient)(options)
    await client.connect()
    const confirmation = await client.call("BootNotification", bootNotification)
    await client.close()
    expect(confirmation).toEqual({ status: "Accepted", currentTime: expect.stringMatching(/Z$/), interval: 300 })
  })

  test("is refused with 404 for an unknown identity and a path of nobody's", async () => {
    const paths = [
      "/ocpp/nobody",
      "/ocpp/",
      "/ocpp",
      "/",
      "/other/offers",
      "/ocpp/%zz",
      "/ocpp/%00",
      "/ocpp/a/b/nobody",
    ]
    for (const path of paths) expect([path, await statusOf(path)]).toEqual([path, 404])
  })

  test("is refused with 400 where ocpp1.6 is not among the offered subprotocols", async () => {
    await rig.announce("newer")
    for (const offered of ["ocpp2.0.1", "ocpp1.5, ocpp2.0", "OCPP16"]) {
      expect(await statusOf("/ocpp/newer", { "Sec-WebSocket-Protocol": offered })).toBe(400)
    }
  })

  test("is asked for with 426 where a request is none", async () => {
    await rig.announce("plain")
    expect(await statusOf("/ocpp/plain", { Upgrade: null, Connection: null })).toBe(426)
    expect(await statusOf("/ocpp/plain", { "Sec-WebSocket-Key": null })).toBe(426)
    expect(await statusOf("/ocpp/plain", { "Content-Length": "0" }, "POST")).toBe(426)
  })

  test("is refused with 403 where the charge point's security profile asks for TLS", async () => {
    for (const securityProfile of [2, 3]) {
      await rig.announce(`tls-${securityProfile}`, { password: "a password of sorts", securityProfile })
      const headers = { Authorization: basic(`tls-${securityProfile}`, "a password of sorts") }
      expect(await statusOf(`/ocpp/tls-${securityProfile}`, headers)).toBe(403)
    }
  })

  test("leaves a log of refusals without what was presented", async () => {
    await rig.announce("guarded", { password: "the right password" })
    await statusOf("/ocpp/guarded", { Authorization: basic("guarded", "the wrong password") })
    const line = rig.logLines.find(({ identity, status }) => identity === "guarded" && status === 401)
    expect(line).toMatchObject({ msg: "an upgrade was refused", address: "127.0.0.1" })
    expect(JSON.stringify(rig.logLines)).not.toContain("password")
  })
})

describe("credentials", () => {
  const key = "00ff10fe20fd30fc40fb50fa60f970f880f790f6"
  const bytes = Buffer.from(key, "hex")

  test("are asked for with 401 and a challenge when they are missing or wrong", async () => {
    await rig.announce("basic", { password: key })
    await rig.announce("neighbour", { password: "another password" })
    const wrong = [
      null,
      "Basic",
      "Bearer abc",
      "Basic !!!",
      basic("basic", ""),
      basic("basic", "wrong"),
      basic("neighbour", bytes),
      basic("neighbour", "another password"),
      basic("", bytes),
      basic("BASIC", bytes),
      basic("basic", Buffer.concat([bytes, Buffer.from([0])])),
      basic("basic", "x".repeat(4000)),
    ]
    for (const Authorization of wrong) {
      const { status, headers, socket } = await rig.knock({ path: "/ocpp/basic", headers: { Authorization } })
      socket.destroy()
      expect([Authorization, status]).toEqual([Authorization, 401])
      expect(headers.get("www-authenticate")).toStartWith("Basic realm=")
    }
  })

  test("are the key's bytes, which need not be text", async () => {
    await rig.announce("bytes", { password: key })
    expect(await statusOf("/ocpp/bytes", { Authorization: basic("bytes", bytes) })).toBe(101)
  })

  test("may be the key's hexadecimal digits in either letter case, which is put down", async () => {
    await rig.announce("hex", { password: key })
    expect(await statusOf("/ocpp/hex", { Authorization: basic("hex", key) })).toBe(101)
    expect(await statusOf("/ocpp/hex", { Authorization: basic("hex", key.toUpperCase()) })).toBe(101)
    expect(await rig.deviationsOf("hex", "password-as-hex-text handshake")).toHaveLength(1)
  })

  test("may be plain text, also with colons", async () => {
    await rig.announce("text", { password: "pass:wörd" })
    expect(await statusOf("/ocpp/text", { Authorization: basic("text", "pass:wörd") })).toBe(101)
  })

  test("belong to an identity that may contain colons itself", async () => {
    await rig.announce("a:b", { password: "c" })
    expect(await statusOf("/ocpp/a:b", { Authorization: basic("a:b", "c") })).toBe(101)
    expect(await statusOf("/ocpp/a%3Ab", { Authorization: basic("a", "b:c") })).toBe(101)
    expect(await statusOf("/ocpp/a:b", { Authorization: basic("a", "c") })).toBe(401)
  })

  test("are looked at before the subprotocol", async () => {
    await rig.announce("order", { password: "a password" })
    expect(await statusOf("/ocpp/order", { "Sec-WebSocket-Protocol": "ocpp2.0.1" })).toBe(401)
  })
})

describe("quirks of the handshake keep the session and are put down", () => {
  /** Connects by hand and has a Heartbeat answered over the socket. */
  async function session(path: string, headers: Record<string, string | null> = {}) {
    const { status, headers: answered, socket } = await rig.knock({ path, headers })
    expect(status).toBe(101)
    const answer = new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(Buffer.from(data).subarray(2).toString()))
    })
    socket.write(clientFrame('[2,"1","Heartbeat",{}]'))
    expect(JSON.parse(await answer)).toEqual([3, "1", { currentTime: expect.any(String) }])
    socket.destroy()
    return answered
  }

  test("no Sec-WebSocket-Protocol at all", async () => {
    await rig.announce("quirk 1")
    const answered = await session("/ocpp/quirk%201", { "Sec-WebSocket-Protocol": null })
    expect(answered.has("sec-websocket-protocol")).toBe(false)
    expect(await rig.deviationsOf("quirk 1", "missing-subprotocol handshake")).toHaveLength(1)
  })

  test("but a strict charge point without the header is refused with 400", async () => {
    await rig.announce("strict", { leniency: "strict" })
    expect(await statusOf("/ocpp/strict", { "Sec-WebSocket-Protocol": null })).toBe(400)
  })

  test("no Connection: Upgrade", async () => {
    await rig.announce("quirk 2")
    await session("/ocpp/quirk%202", { Connection: null })
    await session("/ocpp/quirk%202", { Connection: "keep-alive" })
    expect(await rig.deviationsOf("quirk 2", "missing-connection-header handshake")).toHaveLength(1)
  })

  test("an identity percent-encoded in the path, and in the user name too", async () => {
    await rig.announce("RDAM|123", { password: "secret enough" })
    await session("/ocpp/RDAM%7C123", { Authorization: basic("RDAM|123", "secret enough") })
    await session("/ocpp/RDAM%7c123", { Authorization: basic("RDAM%7c123", "secret enough") })
    await session("/ocpp/RDAM|123", { Authorization: basic("RDAM%7C123", "secret enough") })
    expect(await rig.deviationsOf("RDAM|123", "encoded-user-name handshake")).toHaveLength(1)
  })

  test("any characters: blanks, slashes, letters beyond ASCII", async () => {
    for (const identity of ["RDAM 123", "a/b", "Säule №1", "100%", "%41", "a?b#c", "::"]) {
      await rig.announce(identity)
      await session(`/ocpp/${encodeURIComponent(identity)}`)
    }
  })

  test("a Host header that names no host, a query nobody asked for", async () => {
    await rig.announce("hostless")
    for (const Host of ["a b", "[::", "", "127.0.0.1:99999", "%zz"]) await session("/ocpp/hostless", { Host })
    await session("/ocpp/hostless?version=1.6")
  })

  test("trailing slashes", async () => {
    await rig.announce("quirk 3")
    await session("/ocpp/quirk%203/")
    await session("/ocpp/quirk%203//")
    expect(await rig.deviationsOf("quirk 3", "trailing-slash handshake")).toHaveLength(1)
  })

  test("another letter case of the identity, where that can mean only one", async () => {
    await rig.announce("Quirk-3C")
    await session("/ocpp/QUIRK-3c")
    expect(await rig.deviationsOf("Quirk-3C", "identity-letter-case handshake")).toHaveLength(1)
  })

  test("further path segments, a whole URL, or a slash left as it is before or in the identity", async () => {
    await rig.announce("quirk-3b")
    await rig.announce("site/7")
    await session("/ocpp/1.6/quirk-3b")
    await session(`/ocpp/ws://127.0.0.1:${rig.gateway.port}/ocpp/quirk-3b`)
    await session("/ocpp/site/7")
    expect(await rig.deviationsOf("quirk-3b", "extra-path-segments handshake")).toHaveLength(1)
    expect(await rig.deviationsOf("site/7", "extra-path-segments handshake")).toHaveLength(1)
  })
})

test("with hidden identities an unknown one is refused like a wrong password", async () => {
  await using hidden = await startRig({ services: { hideIdentities: true } })
  await hidden.announce("known", { password: "a password" })
  await hidden.announce("tls", { password: "a password", securityProfile: 2 })
  for (const identity of ["known", "nobody", "tls"]) {
    const headers = { Authorization: basic(identity, "a guess") }
    const { status, headers: answered, socket } = await hidden.knock({ path: `/ocpp/${identity}`, headers })
    socket.destroy()
    expect([status, answered.get("www-authenticate")]).toEqual([401, expect.stringContaining("Basic")])
  }
})

test("with open registration an unknown charge point is created in the default organisation, once", async () => {
  await using open = await startRig({ services: { openRegistration: true } })
  const peers = await Promise.all([open.connect("newcomer"), open.connect("newcomer")])
  await Promise.race(peers.map((peer) => peer.closed))
  const { rows } = await open.store.read.chargePoints("default", {}, { first: 10 })
  expect(rows.map(({ row }) => row.identity)).toEqual(["newcomer"])
  const answered = await open.knock({ path: "/ocpp/odd/newcomer2" })
  answered.socket.destroy()
  expect(answered.status).toBe(404)
})
