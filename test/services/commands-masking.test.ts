import { expect, test } from "bun:test"
import { isSecretKey, maskFrameText, maskPayload, maskUrl } from "../../src/services/masking.ts"

test.each([
  ["AuthorizationKey", true],
  ["authorizationkey", true],
  ["BasicAuthPassword", true],
  ["WifiPSK", true],
  ["ApnPwd", true],
  ["ApiToken", true],
  ["AuthorizationCacheEnabled", false],
  ["AuthorizeRemoteTxRequests", false],
  ["WebSocketPingInterval", false],
  ["ConnectorPhaseRotation", false],
])("%s is a secret: %p", (key, isSecret) => {
  expect(isSecretKey(key)).toBe(isSecret)
})

test.each([
  ["ftp://user:pass@files.example/logs/", "ftp://***@files.example/logs/"],
  ["https://user@files.example/a?b=c", "https://***@files.example/a?b=c"],
  ["https://files.example/f?token=abc&x=1", "https://files.example/f?token=***&x=1"],
  ["https://s3.example/f?X-Amz-Signature=abc&X-Amz-Date=2", "https://s3.example/f?X-Amz-Signature=***&X-Amz-Date=2"],
  ["https://files.example/f?user=u&pass=0102&auth=0304", "https://files.example/f?user=u&pass=***&auth=***"],
  ["https://files.example/f?access_key=0102&passage=1", "https://files.example/f?access_key=***&passage=1"],
  ["https://files.example/files/download/aB3-_x/fw.bin", "https://files.example/files/download/***/fw.bin"],
  ["http://files.example/files/upload/aB3-_x/", "http://files.example/files/upload/***/"],
  ["see ftp://a:b@one and ftp://c:d@two", "see ftp://***@one and ftp://***@two"],
  ["https://files.example/@scope/a", "https://files.example/@scope/a"],
  ["mail me@example.com", "mail me@example.com"],
])("%s is kept as %s", (text, kept) => {
  expect(maskUrl(text)).toBe(kept)
})

test("a request's secrets are masked wherever they lie, the rest stays", () => {
  expect(maskPayload({ key: "AuthorizationKey", value: "0102" })).toEqual({ key: "AuthorizationKey", value: "***" })
  expect(maskPayload({ key: "HeartbeatInterval", value: "300" })).toEqual({ key: "HeartbeatInterval", value: "300" })
  expect(maskPayload({ location: "ftp://u:p@h/", retries: 3 })).toEqual({ location: "ftp://***@h/", retries: 3 })
  expect(maskPayload({ log: { remoteLocation: "https://u:p@h/" } })).toEqual({
    log: { remoteLocation: "https://***@h/" },
  })
  expect(maskPayload({ vendorId: "v", data: '{"password":"x1","ssid":"home"}' })).toEqual({
    vendorId: "v",
    data: '{"password":"***","ssid":"home"}',
  })
  const request = { idTag: "04A1", connectorId: 1, chargingProfile: { chargingProfileId: 1 } }
  expect(maskPayload(request)).toEqual(request)
})

test("a frame without a secret stays as it was written, byte by byte", () => {
  for (const text of ['[2, "1" ,"Heartbeat",{ }]', '[3,"1",{"currentTime":"2026-03-14T12:00:00.000Z"}]', "[2,", ""])
    expect(maskFrameText(text)).toBe(text)
})

test("a frame with a secret is kept without it", () => {
  const change = '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"0102"}]'
  expect(JSON.parse(maskFrameText(change))).toEqual([
    2,
    "1",
    "ChangeConfiguration",
    { key: "AuthorizationKey", value: "***" },
  ])
  const keys = '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"0102"}]}]'
  expect(maskFrameText(keys)).not.toContain("0102")
  const escaped = '[2,"1","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"0102"}]'
  expect(maskFrameText(escaped)).not.toContain("0102")
  const upload = '[2,"1","GetDiagnostics",{"location":"ftp:\\/\\/u:p0102@h\\/"}]'
  expect(maskFrameText(upload)).not.toContain("p0102")
})

test("a frame that is no JSON is masked by its words", () => {
  const torn = '[2,"1","ChangeConfiguration",{"key":"x","password":"0102","location":"ftp://u:0304@h/"'
  expect(maskFrameText(torn)).not.toMatch(/0102|0304/)
})

test("a long text with many beginnings of a secret is masked at once", () => {
  const starts = ["passw", "a.", "a://", "?token", "&secret ", "secret="]
  for (const start of starts) {
    const text = JSON.stringify([2, "1", "DataTransfer", { vendorId: "V", data: start.repeat(250_000 / start.length) }])
    expect(maskFrameText(`${text.slice(0, -3)} http://u:p0102@h"}]`)).not.toContain("p0102")
  }
})
