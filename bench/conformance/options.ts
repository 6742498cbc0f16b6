/** The command line of `bun run conformance`, and the environment that stands in for it. */
import { parseArgs } from "node:util"
import { catalogue, documentId } from "./catalogue.ts"
import type { Case } from "./stage.ts"
import { UsageError } from "../program.ts"

export const HELP = `npm run conformance -- [options]: every certification test case of OCPP 1.6 against a central system

  --ocpp URL       where charge points connect, up to and including /ocpp; CONFORMANCE_OCPP_URL
  --ocpp-tls URL   the same over TLS, for the cases of security profiles 2 and 3, of which this version has none;
                   CONFORMANCE_OCPP_TLS_URL
  --graphql URL    the API, up to and including /graphql; CONFORMANCE_GRAPHQL_URL
  --token TOKEN    of an operator; CONFORMANCE_TOKEN
                   Without URLs the run starts a node of its own, and removes it afterwards.
  --case ID        only this case, as in TC_043_5 or X-12; may be given more than once
  --busy N         play everything a second time with N busy charge points behind; 0: do not (1000)
  --json FILE      every case with its steps, all messages and the reason of a failure
  --record FILE    the tables and the results as Markdown
  --help           this text

The run makes its own charge points and idTags and removes them. It ends with 1 when a case fails, or an answer took
longer than a second.
`

export interface Options {
  help: boolean
  /** Left out: a node of the run's own. */
  target?: { ocppUrl: string; graphqlUrl: string; token: string }
  cases: readonly Case[]
  busy: number
  json?: string
  record?: string
}

/** @throws UsageError, or what parseArgs throws. */
export function readOptions(args: string[], environment: Record<string, string | undefined>): Options {
  const text = { type: "string" } as const
  const { values } = parseArgs({
    args,
    options: {
      ...{ ocpp: text, "ocpp-tls": text, graphql: text, token: text, busy: text, json: text, record: text },
      ...{ case: { type: "string", multiple: true }, help: { type: "boolean" } },
    } as const,
  })
  const ocppUrl = url("--ocpp", values.ocpp ?? environment["CONFORMANCE_OCPP_URL"], /^wss?:\/\/.+\/ocpp$/)
  url("--ocpp-tls", values["ocpp-tls"] ?? environment["CONFORMANCE_OCPP_TLS_URL"], /^wss:\/\/.+\/ocpp$/)
  const graphqlUrl = url(
    "--graphql",
    values.graphql ?? environment["CONFORMANCE_GRAPHQL_URL"],
    /^(http|ws)s?:\/\/.+\/graphql$/,
  )
  const token = values.token ?? environment["CONFORMANCE_TOKEN"]
  const { busy = "1000", json, record } = values
  if (!/^\d+$/.test(busy)) throw new UsageError("--busy must be a whole number")
  return {
    help: values.help ?? false,
    ...targetOf(ocppUrl, graphqlUrl, token),
    cases: values.case ? values.case.map(caseOf) : catalogue.filter(({ forms }) => forms.length > 0),
    busy: Number(busy),
    ...(json !== undefined && { json }),
    ...(record !== undefined && { record }),
  }
}

function url(option: string, given: string | undefined, pattern: RegExp): string | undefined {
  const value = given?.trim().replace(/\/+$/, "")
  if (value && !pattern.test(value)) throw new UsageError(`${option} must look like ${pattern.source}`)
  return value || undefined
}

function targetOf(
  ocppUrl: string | undefined,
  graphqlUrl: string | undefined,
  token: string | undefined,
): Pick<Options, "target"> {
  if (ocppUrl === undefined && graphqlUrl === undefined) return {}
  if (ocppUrl === undefined || graphqlUrl === undefined || token === undefined)
    throw new UsageError("a running central system needs --ocpp, --graphql and --token")
  return { target: { ocppUrl, graphqlUrl, token } }
}

function caseOf(wanted: string): Case {
  const name = wanted.toUpperCase()
  const found = catalogue.find((each) =>
    [each.id, documentId(each), each.id.replace("TC_", "")].some((id) => id.toUpperCase() === name),
  )
  if (!found) throw new UsageError(`there is no case ${wanted}`)
  if (found.forms.length === 0) throw new UsageError(`${documentId(found)} is not part of this version`)
  return found
}
