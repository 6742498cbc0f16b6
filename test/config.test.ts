/** The environment is read whole: every problem at once, defaults where nothing is said. */
import { describe, expect, test } from "bun:test"
import { BadConfig, envExample, helpText, readConfig } from "../src/config.ts"

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment)
  } catch (cause) {
    if (cause instanceof BadConfig) return cause.problems
    throw cause
  }
  throw new Error("the configuration was accepted")
}

describe("configuration", () => {
  test("an empty environment means the defaults", () => {
    expect(readConfig({})).toMatchObject({
      OCPP_PORT: 9220,
      HTTP_PORT: 4000,
      ROLES: ["gateway", "api", "worker"],
      LENIENCY: "tolerant",
      REGISTRATION: "closed",
      HIDE_IDENTITIES: false,
    })
  })

  test("an empty value means the default, as an unset one does", () => {
    expect(readConfig({ OCPP_PORT: "" }).OCPP_PORT).toBe(9220)
  })

  test("every problem is reported at once", () => {
    const problems = problemsOf({
      OCPP_PORT: "70000",
      HTTP_PORT: "http",
      ROLES: "gateway,boss",
      LOG_LEVEL: "loud",
      REDIS_URL: "localhost",
      ADMIN_TOKEN: "short",
    })
    for (const name of ["OCPP_PORT", "HTTP_PORT", "ROLES", "LOG_LEVEL", "REDIS_URL", "ADMIN_TOKEN"])
      expect(problems.some((problem) => problem.startsWith(`${name} `))).toBe(true)
  })

  test.each(["a token with blanks in it", "a-token-with\ta-tab-in-it", "ein-tökeñ-of-other-letters"])(
    "ADMIN_TOKEN %p could stand in no header",
    (token) => {
      expect(problemsOf({ ADMIN_TOKEN: token })).toEqual([
        "ADMIN_TOKEN must be ASCII without white space: it stands in a header",
      ])
    },
  )

  test("PostgreSQL needs the key that its nodes share", () => {
    expect(problemsOf({ DATABASE_URL: "postgres://localhost/busbar" })).toEqual([
      "SECRET_KEY is required with DATABASE_URL, the same on every node",
    ])
  })

  test("a part of a node needs what it shares with the nodes of the other parts", () => {
    const shared = { DATABASE_URL: "postgres://localhost/busbar", SECRET_KEY: "a key that all nodes share" }
    const problems = [
      "ROLES names a part of a node: the nodes with the other parts need the same DATABASE_URL and REDIS_URL",
    ]
    expect(problemsOf({ ROLES: "worker" })).toEqual(problems)
    expect(problemsOf({ ROLES: "gateway,api", ...shared })).toEqual(problems)
    expect(readConfig({ ROLES: "api", ...shared, REDIS_URL: "redis://localhost" }).ROLES).toEqual(["api"])
  })

  test("the result is frozen", () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true)
  })

  test("--help and .env.example name every variable", async () => {
    expect(await Bun.file(new URL("../.env.example", import.meta.url)).text()).toBe(envExample())
    for (const name of Object.keys(readConfig({}))) {
      expect(helpText()).toContain(name)
      expect(envExample()).toContain(`#${name}=`)
    }
  })
})
