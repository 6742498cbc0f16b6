// Brings node_modules to the state of bun.lock, Bun itself included. Needs only Node and npm.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Missing, say } from "./say.mjs"

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/** The Bun that the lockfile pins. */
export const bun = join(root, "node_modules/.bin/bun")

const stamp = join(root, "node_modules/.installed")

/** Installs what bun.lock and package.json ask for, unless that is what was installed last. */
export function install() {
  const manifest = readFileSync(join(root, "package.json"), "utf8")
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "bun.lock")))
    .update(manifest)
    .digest("hex")
  repairPlaceholder()
  if (existsSync(bun) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return

  const args = ["--yes", `bun@${JSON.parse(manifest).devDependencies.bun}`, "install", "--frozen-lockfile"]
  say(`installing the dependencies of bun.lock: npx ${args.join(" ")}`)
  // The npm package of Bun links its binary in a postinstall, which a user's `ignore-scripts` would leave out.
  const env = { ...process.env, npm_config_ignore_scripts: "false" }
  const { status } = spawnSync("npx", args, { cwd: root, env, stdio: ["ignore", 2, 2] })
  if (status !== 0) throw new Missing("the dependencies could not be installed; npx said why above")
  repairPlaceholder()
  writeFileSync(stamp, wanted)
}

/** Without its postinstall the `bun` package holds a small script that only complains; the real binary is 100 MB. */
function repairPlaceholder() {
  const binary = join(root, "node_modules/bun/bin/bun.exe")
  if (!existsSync(binary) || statSync(binary).size > 1_000_000) return
  say("putting the Bun binary in place: node node_modules/bun/install.js")
  spawnSync(process.execPath, ["install.js"], { cwd: join(root, "node_modules/bun"), stdio: ["ignore", 2, 2] })
}
