import { lexicographicSortSchema, printSchema } from "graphql"
import { schema } from "./schema.ts"

/** The schema as `schema.graphql` keeps it. */
export const printedSchema = (): string => `${printSchema(lexicographicSortSchema(schema))}\n`
