/** The hot statements about files; see statements.ts. */
import type { Statement } from "./statements.ts"

/** Requests for diagnostics are few, and indexed by their age. Parameters: as for the others. */
export const pruneDiagnostics: Statement<{ id: string }> = {
  name: "prune diagnostics",
  sqlite:
    "DELETE FROM diagnostics WHERE id IN (SELECT id FROM diagnostics WHERE requested_at < ?1 ORDER BY requested_at LIMIT ?2) RETURNING id",
  postgres:
    "DELETE FROM diagnostics WHERE id IN (SELECT id FROM diagnostics WHERE requested_at < ($1::bigint[])[1] ORDER BY requested_at LIMIT ($2::bigint[])[1]) RETURNING id",
  flags: [],
}

/** Deletes parts of files that neither a firmware image nor an upload of diagnostics names. Parameters: as for the others. */
export const pruneFileChunks: Statement<{ position: number }> = pruneLoose()

function pruneLoose(): Statement<{ position: number }> {
  const loose = (before: string, limit: string): string =>
    `DELETE FROM file_chunks WHERE (file_id, position) IN (SELECT c.file_id, c.position FROM file_chunks c WHERE c.at < ${before}
      AND NOT EXISTS (SELECT 1 FROM firmware_images i WHERE i.id = c.file_id)
      AND NOT EXISTS (SELECT 1 FROM diagnostics d WHERE d.upload_id = c.file_id) LIMIT ${limit}) RETURNING position`
  return {
    name: "prune file chunks",
    sqlite: loose("?1", "?2"),
    postgres: loose("($1::bigint[])[1]", "($2::bigint[])[1]"),
    flags: [],
  }
}

/** Parameters: file id, position, instant, the bytes in hexadecimal digits. */
export const addFileChunk: Statement<never> = {
  name: "add file chunk",
  sqlite: "INSERT INTO file_chunks (file_id, position, at, bytes) VALUES (?, ?, ?, unhex(?))",
  postgres:
    "INSERT INTO file_chunks (file_id, position, at, bytes) SELECT f, p, a, decode(h, 'hex') FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS c(f, p, a, h)",
  flags: [],
}

/** Parameters: file id. */
export const removeFileChunks: Statement<never> = {
  name: "remove file chunks",
  sqlite: "DELETE FROM file_chunks WHERE file_id = ?",
  postgres: "DELETE FROM file_chunks WHERE file_id = ANY($1::text[])",
  flags: [],
}
