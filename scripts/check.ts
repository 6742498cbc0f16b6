/** All that must hold before a change is done: types, format, lint, architecture and what may stand in a committed file. */
import { join } from "node:path"

const root = join(import.meta.dir, "..")
const bun = process.execPath
// Not Markdown, which is laid out by hand, and not schema.graphql, which is printed.
const formatted = "**/*.{ts,tsx,mjs,json,yml}"

/** The words that a step prints when it fails; nothing when it holds. */
type Step = () => Promise<string>

const steps: Record<string, Step> = {
  types: command(bun, "check", "--no-script", "--all"),
  format: command(bun, "fmt", "--no-script", "--check", formatted),
  lint: command(join(root, "node_modules/.bin/biome"), "lint", "--error-on-warnings", "."),
  architecture: command(bun, "test", "--only-failures", "./test/architecture.test.ts"),
  "no registry host in a committed file": registryHosts,
}

let failed = 0
for (const [name, step] of Object.entries(steps)) {
  const problem = (await step()).trim()
  if (problem) failed++
  console.log(problem ? `${problem}\nfailed: ${name}` : `ok: ${name}`)
}
process.exit(failed > 0 ? 1 : 0)

function command(...command: string[]): Step {
  return async () => {
    const { exitCode, output } = await run(command)
    return exitCode === 0 ? "" : output || `${command[0]} ended with code ${exitCode}`
  }
}

async function run(command: string[]): Promise<{ exitCode: number; output: string }> {
  const child = Bun.spawn(command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { exitCode, output: output + errors }
}

/** Lockfiles and settings must install from whatever registry the reader uses. */
async function registryHosts(): Promise<string> {
  const urls = (await Bun.file(join(root, "bun.lock")).text()).split("\n").filter((line) => line.includes("://"))
  const configured = (await run(["npm", "config", "get", "registry"])).output.match(/^https?:\/\/([^/\s]+)/m)?.[1]
  const hosts = ["registry\\.npmjs\\.", "registry\\.yarnpkg\\.", ...(configured ? [RegExp.escape(configured)] : [])]
  const patterns = hosts.flatMap((host) => ["-e", host])
  const found = await run(["git", "grep", "--untracked", "-nIE", ...patterns])
  if (found.exitCode > 1) return found.output // 1 is git's "nothing found"
  return [...urls.map((line) => `bun.lock: ${line}`), found.output].join("\n")
}
