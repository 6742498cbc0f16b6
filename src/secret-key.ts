/** The key behind password hashes: from the configuration, or made once and kept beside the data. */
import { createHmac, randomBytes } from "node:crypto"
import { mkdir, open, readFile } from "node:fs/promises"
import { join } from "node:path"

/** The node's secret key is not the one that the stored password hashes were made with. */
export class WrongSecretKey extends Error {
  override readonly name = "WrongSecretKey"

  constructor(place: string) {
    super(
      `${place} is not the key that the passwords in this database are kept with: ` +
        "every charge point with a password would be refused. Give every node the same SECRET_KEY",
    )
  }
}

/** Where the key's fingerprint lies, so that another key is noticed at the start. */
interface Settings {
  /** Sets a value unless it is set already; resolves to the one that then holds. */
  settleSetting(key: string, value: string): Promise<string>
}

const SETTING = "secretKey.check"
const FILE = "secret.key"

/**
 * The node's secret key. Without a configured one it is read from, or made in, `secret.key` of the data folder (0600).
 * The first key ever used on a database is the only one. @throws WrongSecretKey
 */
export async function secretKey(configured: string | undefined, dataDir: string, settings: Settings): Promise<string> {
  const key = configured ?? (await keptKey(dataDir))
  const check = createHmac("sha256", key).update("busbar").digest("hex")
  if ((await settings.settleSetting(SETTING, check)) !== check)
    throw new WrongSecretKey(configured === undefined ? join(dataDir, FILE) : "SECRET_KEY")
  return key
}

async function keptKey(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const path = join(dataDir, FILE)
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
