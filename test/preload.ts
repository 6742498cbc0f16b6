/** Runs before every test file, under `npm test` and under a plain `bun test` alike. */
import { afterAll, setDefaultTimeout } from "bun:test"
import { provide } from "../scripts/provision.mjs"
import fc from "fast-check"
import manifest from "../package.json"
import { dropDatabases } from "./support/postgres.ts"

const wanted = manifest.devDependencies.bun
if (Bun.version !== wanted) throw new Error(`the tests run on Bun ${wanted}, this is ${Bun.version}: use npm test`)

provide(["redis", "postgres", "chromium"])

// Where a developer's shell or .env points is no place for tests.
for (const name of ["DATABASE_URL", "REDIS_URL", "DATA_DIR"]) delete process.env[name]

// A test waits for a condition; this bound only ends one whose condition never comes, on a busy machine too.
setDefaultTimeout(30_000)

// The same properties on the same examples at every run; another seed explores others.
fc.configureGlobal({ seed: Number(process.env["FAST_CHECK_SEED"] ?? 20_261_122) })

afterAll(dropDatabases)
