import { expect, test } from "bun:test"
import type { IdTagInfo } from "../../src/facts/catalogue.ts"
import { authorize, idTagKeyOf } from "../../src/facts/id-tags.ts"
import type { IdTagRow } from "../../src/facts/rows.ts"
import { idTagRow, minute, time } from "../support/charging.ts"
import { MemoryFacts } from "../support/facts.ts"

test("idTags are compared without regard to letter case and surrounding blanks", () => {
  expect(idTagKeyOf(" 04aBcD ")).toBe(idTagKeyOf("04ABCD"))
  expect(idTagKeyOf("04AB")).not.toBe(idTagKeyOf("04A"))
})

const answers: [string, IdTagRow | undefined, IdTagInfo][] = [
  ["an unknown idTag is Invalid", undefined, { status: "Invalid" }],
  ["a known one is Accepted", idTagRow("A"), { status: "Accepted" }],
  ["a blocked one is Blocked", idTagRow("A", { status: "Blocked" }), { status: "Blocked" }],
  ["one stored as expired is Expired", idTagRow("A", { status: "Expired" }), { status: "Expired" }],
  ["an invalid one is Invalid", idTagRow("A", { status: "Invalid" }), { status: "Invalid" }],
  [
    "before its end it is Accepted",
    idTagRow("A", { expiryDate: minute(6) }),
    { status: "Accepted", expiryDate: time(6) },
  ],
  ["at its end it is Expired", idTagRow("A", { expiryDate: minute(5) }), { status: "Expired", expiryDate: time(5) }],
  [
    "blocked stays Blocked after its end",
    idTagRow("A", { status: "Blocked", expiryDate: minute(4) }),
    { status: "Blocked", expiryDate: time(4) },
  ],
  ["the group is told", idTagRow("A", { parentIdTag: "P" }), { status: "Accepted", parentIdTag: "P" }],
  ["20 characters are allowed", idTagRow("12345678901234567890"), { status: "Accepted" }],
  ["21 are not", idTagRow("123456789012345678901"), { status: "Invalid" }],
  ["a limit of transactions is no matter here", idTagRow("A", { maxActiveTransactions: 0 }), { status: "Accepted" }],
]
test.each(answers)("%s", (_, row, idTagInfo) => {
  expect(authorize(row, minute(5))).toEqual(idTagInfo)
})

test("an idTag is unique within its organisation whatever its letter case", async () => {
  const facts = new MemoryFacts()
  expect(await facts.change("createIdTag", { idTag: idTagRow("04ab") })).toMatchObject({ idTag: { idTag: "04ab" } })
  expect(await facts.change("createIdTag", { idTag: idTagRow("04AB") })).toEqual({ alreadyExists: true })
  const elsewhere = idTagRow("04AB", { organisationId: "other" })
  expect(await facts.change("createIdTag", { idTag: elsewhere })).toEqual({ idTag: elsewhere })
})

test("an update changes the given fields; a deleted idTag is gone", async () => {
  const facts = new MemoryFacts()
  facts.given({ idTags: [idTagRow("04AB", { note: "fleet" })] })
  const key = { organisationId: "default", idTagKey: "04ab" }
  await facts.change("updateIdTag", { ...key, change: { status: "Blocked", expiryDate: null } })
  expect(facts.rows("idTags")).toMatchObject([{ status: "Blocked", note: "fleet" }])
  expect(await facts.change("updateIdTag", { ...key, organisationId: "other", change: {} })).toEqual({ notFound: true })
  expect(await facts.change("deleteIdTag", key)).toMatchObject({ idTag: { idTag: "04AB" } })
  expect(await facts.change("deleteIdTag", key)).toEqual({ notFound: true })
})

test("a token is revoked once, by its own organisation", async () => {
  const facts = new MemoryFacts()
  const apiToken = {
    id: "t1",
    organisationId: "default",
    name: "dashboard",
    role: "Viewer",
    tokenHash: "hash",
    createdAt: minute(0),
    expiresAt: null,
    revokedAt: null,
  } as const
  expect(await facts.change("createApiToken", { apiToken })).toEqual({ apiToken })
  expect(await facts.change("createApiToken", { apiToken })).toEqual({ alreadyExists: true })
  const revoke = (organisationId: string, at: number) =>
    facts.change("revokeApiToken", { organisationId, apiTokenId: "t1", at })
  expect(await revoke("other", minute(1))).toEqual({ notFound: true })
  await revoke("default", minute(2))
  await revoke("default", minute(3))
  expect(facts.rows("apiTokens")).toMatchObject([{ revokedAt: minute(2) }])
})
