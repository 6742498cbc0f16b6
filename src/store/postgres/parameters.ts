/** What statements are given on PostgreSQL: each column of the rows of parameters as one array. */
import type { Value } from "../tables.ts"

/** As PostgreSQL writes arrays: the driver's own way costs as much as the rest of the statement. */
export const arraysOf = (rows: readonly (readonly Value[])[]): string[] =>
  (rows[0] ?? []).map((_, column) => arrayOf(rows, column))

function arrayOf(rows: readonly (readonly Value[])[], column: number): string {
  let text = "{"
  for (const row of rows) {
    const value = row[column] ?? null
    if (text.length > 1) text += ","
    text += typeof value === "string" ? quoted(value) : value === null ? "NULL" : value
  }
  return `${text}}`
}

function quoted(text: string): string {
  const escaped = text.includes("\\") ? text.replaceAll("\\", "\\\\") : text
  return escaped.includes('"') ? `"${escaped.replaceAll('"', '\\"')}"` : `"${escaped}"`
}
