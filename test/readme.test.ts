/** What README shows can be pasted: its GraphQL documents are valid for the schema. */
import { expect, test } from "bun:test"
import { buildSchema, parse, validate } from "graphql"

const readme = await Bun.file(new URL("../README.md", import.meta.url)).text()
const schema = buildSchema(await Bun.file(new URL("../graphql/schema.graphql", import.meta.url)).text())
const documents = [...readme.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, document = ""]) => document)

test("README shows a query, a mutation and a subscription", () => {
  expect(documents.map((document) => document.trim().split(/\s/)[0])).toEqual(["query", "mutation", "subscription"])
})

test.each(documents.map((document) => [document]))("a document of README is valid: %s", (document) => {
  expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([])
})
