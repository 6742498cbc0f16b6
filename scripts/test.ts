/**
 * The whole test suite: `npm test`, or a part of it: `npm test -- test/ocpp -t "a sentence"`.
 * It ends with the failures by name and the line `N passed, N failed`, taken from the runner's JUnit report.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { type PostgresServer, sharedServerSocket, startPostgres } from "../test/support/postgres.ts"
import { readReport } from "./junit.ts"

// Relative, because the path of a unix socket may not be long; both processes run in the project's folder.
process.chdir(join(import.meta.dir, ".."))
mkdirSync(".test", { recursive: true })
const folder = mkdtempSync(join(".test", "run-"))
const reportFile = join(folder, "junit.xml")

// One PostgreSQL server for all workers, started when the first test asks for it.
const socket = join(folder, "postgres")
let postgres: Promise<PostgresServer> | undefined
const directory = Bun.serve({
  unix: socket,
  fetch: async () => {
    postgres ??= startPostgres()
    return new Response((await postgres).url)
  },
})

const args = process.argv.slice(2)
const runner = Bun.spawn(
  [
    process.execPath,
    "test",
    `--parallel=${Math.min(4, Math.max(2, availableParallelism()))}`,
    "--reporter=junit",
    `--reporter-outfile=${reportFile}`,
    "--timings=.test/timings.json",
    "--update-timings",
    ...args,
  ],
  {
    env: { ...process.env, [sharedServerSocket]: socket },
    stdio: ["ignore", "inherit", "pipe"],
  },
)
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => runner.kill(signal))

let output = ""
const decoder = new TextDecoder()
for await (const bytes of runner.stderr) {
  process.stderr.write(bytes)
  output = (output + decoder.decode(bytes, { stream: true })).slice(-10_000)
}
const exitCode = await runner.exited
await directory.stop(true)
await (await postgres)?.stop()

const report = await readReport(reportFile)
rmSync(folder, { recursive: true, force: true })
const problems = [...report.failed]
// A test file that does not load is in no JUnit report; the runner's closing lines count it as an error.
const summary =
  Bun.stripANSI(output)
    .split(/^ *\d+ pass$/m)
    .at(-1) ?? ""
const errors = Number(/^ *(\d+) errors?$/m.exec(summary)?.[1] ?? 0)
if (errors > 0) problems.push(...Array<string>(errors).fill("an error outside of any test (see above)"))
if (report.passed + problems.length === 0) problems.push("no test ran")
// The report does not tell a test left out by -t from one marked skip.
const partial = args.some((arg) => arg === "-t" || arg.startsWith("--test-name-pattern"))
if (process.env["CI"] === "true" && !partial) problems.push(...report.skipped.map((name) => `${name} (skipped)`))
if (exitCode !== 0 && problems.length === 0) problems.push(`the test runner ended with code ${exitCode}`)

if (problems.length > 0) console.log(`\nFailed:\n${problems.map((name) => `  ${name}`).join("\n")}`)
console.log(`\n${report.passed} passed, ${problems.length} failed`)
process.exit(problems.length > 0 ? 1 : 0)
