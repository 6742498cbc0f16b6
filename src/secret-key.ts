/** The key behind password hashes: from the configuration, or made once and kept beside the data. */
import { randomBytes } from "node:crypto"
import { mkdir, open, readFile } from "node:fs/promises"
import { join } from "node:path"

/** The node's secret key. Without a configured one it is read from, or made in, `secret.key` of the data folder (0600). */
export async function secretKey(configured: string | undefined, dataDir: string): Promise<string> {
  if (configured !== undefined) return configured
  await mkdir(dataDir, { recursive: true })
  const path = join(dataDir, "secret.key")
  try {
    const file = await open(path, "wx", 0o600)
    try {
      const key = randomBytes(32).toString("base64url")
      await file.writeFile(`${key}\n`)
      await file.sync()
      return key
    } finally {
      await file.close()
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    return (await readFile(path, "utf8")).trim()
  }
}
