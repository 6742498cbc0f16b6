/** One process per SQLite file: a second gateway on it would hand out the same charge points twice. */
import { Database } from "bun:sqlite"

/** Another process has the data folder open. */
export class DataFolderInUse extends Error {
  override readonly name = "DataFolderInUse"

  constructor(path: string, cause: unknown) {
    super(
      `${path} is open in another process. SQLite serves one Busbar process; for more than one set DATABASE_URL to a PostgreSQL database`,
      { cause },
    )
  }
}

/**
 * Takes the file `<path>.lock` until disposed. It is the operating system's lock on an open transaction of a database
 * of its own, so it ends with the process however that ends.
 * @throws DataFolderInUse
 */
export function lockDatabase(path: string): Disposable {
  const holder = new Database(`${path}.lock`, { create: true, readwrite: true })
  try {
    holder.run("PRAGMA busy_timeout = 0")
    holder.run("BEGIN EXCLUSIVE")
  } catch (cause) {
    holder.close()
    throw new DataFolderInUse(path, cause)
  }
  return { [Symbol.dispose]: () => holder.close() }
}
