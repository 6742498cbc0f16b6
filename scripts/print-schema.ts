/** Writes graphql/schema.graphql from the types; `npm run schema` after each change of the API. */
import { printedSchema } from "../graphql/print.ts"

const file = new URL("../graphql/schema.graphql", import.meta.url)
await Bun.write(file, printedSchema())
console.log("graphql/schema.graphql is written")
