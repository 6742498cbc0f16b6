/** What a node prints for people at its start: where charge points connect, where the API is, and how to begin. */
import type { Config } from "./config.ts"

export interface WelcomeFacts {
  /** Ports actually bound (0 in the configuration means any). */
  ocppPort: number
  httpPort: number
  /** The operator's token, only where it was made just now. */
  firstToken: string | null
}

/** A few lines a newcomer can act on. */
export function welcomeText(config: Config, { ocppPort, httpPort, firstToken }: WelcomeFacts): string {
  const host = config.HOST === "0.0.0.0" || config.HOST === "::" ? "localhost" : config.HOST
  const graphql = `http://${host}:${httpPort}/graphql`
  const token = firstToken ?? "$TOKEN"
  const lines = [
    "",
    "  Busbar is running.",
    "",
    ...(config.ROLES.includes("gateway") ? [`  Charge points   ws://${host}:${ocppPort}/ocpp/<identity>`] : []),
    ...(config.ROLES.includes("api") ? [`  GraphQL         ${graphql}   (open it in a browser)`] : []),
    `  Health          http://${host}:${httpPort}/readyz`,
    `  Data            ${config.DATABASE_URL === undefined ? `SQLite in ${config.DATA_DIR}` : "PostgreSQL"}, Redis ${config.REDIS_URL === undefined ? "managed by this node" : "shared"}`,
  ]
  if (config.ROLES.includes("api")) {
    if (firstToken !== null)
      lines.push(
        "",
        `  First token     ${firstToken}`,
        "                  shown this once; it may do everything: keep it safe",
      )
    lines.push(
      "",
      "  Let a charge point in, then connect it:",
      "",
      `    curl -s ${graphql} -H 'authorization: Bearer ${token}' -H 'content-type: application/json' \\`,
      `      -d '{"query":"mutation { createChargePoint(input: {identity: \\"CP-1\\"}) { __typename ... on Error { message } } }"}'`,
    )
  }
  return [...lines, "", ""].join("\n")
}
