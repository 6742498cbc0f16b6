import { expect, test } from "bun:test"
import { Glob } from "bun"
import {
  getNamedType,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from "graphql"
import { printedSchema } from "../../graphql/print.ts"
import { schema } from "../../graphql/schema.ts"
import { enumName } from "../../graphql/words.ts"

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
)

test("schema.graphql is what the types print; npm run schema writes it", async () => {
  const committed = await Bun.file(new URL("../../graphql/schema.graphql", import.meta.url)).text()
  expect(printedSchema()).toBe(committed)
})

function withoutDescription(type: GraphQLNamedType): string[] {
  const missing: string[] = []
  const look = (name: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim()) missing.push(name)
  }
  look(type.name, type)
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field)
      for (const arg of field.args) look(`${type.name}.${field.name}(${arg.name})`, arg)
    }
  }
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field)
  if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value)
  return missing
}

test("every type, field, argument and enum value says what it means", () => {
  expect(types.length).toBeGreaterThan(100)
  expect(types.flatMap(withoutDescription)).toEqual([])
})

test("every mutation takes one input named after it and returns a union of one success and typed errors", () => {
  const mutations = Object.values(schema.getMutationType()!.getFields())
  expect(mutations.length).toBeGreaterThan(16)
  for (const { name, args, type } of mutations) {
    const capitalised = name.charAt(0).toUpperCase() + name.slice(1)
    expect(args.map((arg) => `${arg.name}: ${arg.type}`)).toEqual([`input: ${capitalised}Input!`])
    const union = schema.getType(String(type).replace("!", ""))
    if (!isUnionType(union)) throw new Error(`${name} returns no union`)
    const isError = (member: (typeof members)[number]) => member.getInterfaces().some((one) => one.name === "Error")
    const members = union.getTypes()
    const successes = members.filter((member) => !isError(member)).map((member) => member.name)
    expect([[`${capitalised}Payload`], [`${capitalised}Confirmation`, "CommandQueued"].sort()]).toContainEqual(
      successes.sort(),
    )
    expect(members.map((member) => member.name)).toContain("Forbidden")
  }
})

test("OCPP's words become upper snake case", () => {
  const words = [
    "SuspendedEVSE",
    "SuspendedEV",
    "Energy.Active.Import.Register",
    "L1-N",
    "EVDisconnected",
    "SoC",
    "kWh",
  ]
  expect(words.map(enumName)).toEqual([
    "SUSPENDED_EVSE",
    "SUSPENDED_EV",
    "ENERGY_ACTIVE_IMPORT_REGISTER",
    "L1_N",
    "EV_DISCONNECTED",
    "SOC",
    "KWH",
  ])
})

test("there is only one graphql in node_modules, so that no error is taken for a stranger's", async () => {
  const found: string[] = []
  for await (const path of new Glob("**/node_modules/graphql/package.json").scan({
    cwd: new URL("../..", import.meta.url).pathname,
    followSymlinks: false,
  }))
    found.push(path)
  expect(found).toEqual(["node_modules/graphql/package.json"])
})

/** Every type that a selection on this one can read. */
function readable(name: string): Set<string> {
  const found = new Set<string>()
  const waiting = [name]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue
    found.add(next)
    const type = schema.getType(next)
    if (isUnionType(type) || isInterfaceType(type))
      waiting.push(...schema.getPossibleTypes(type).map((possible) => possible.name))
    if (isObjectType(type) || isInterfaceType(type))
      waiting.push(...Object.values(type.getFields()).map((field) => getNamedType(field.type).name))
  }
  return found
}

test("no subscription can read who the viewer is: what all who follow alike are told is made for all of them", () => {
  expect(readable("Query")).toContain("Viewer")
  expect(readable("Subscription")).not.toContain("Viewer")
})

test("every subscription can begin behind a cursor or with a snapshot, and tells so by its kinds", () => {
  const subscriptions = Object.values(schema.getSubscriptionType()!.getFields())
  expect(subscriptions.length).toBe(7)
  for (const { args, type } of subscriptions) {
    const beginning = args.filter(({ name }) => name === "after" || name === "snapshot")
    expect(beginning.map((arg) => `${arg.name}: ${arg.type} = ${String(arg.defaultValue ?? null)}`)).toEqual([
      "after: Cursor = null",
      "snapshot: Boolean = false",
    ])
    const change = getNamedType(type)
    const kinds = isObjectType(change) ? getNamedType(change.getFields()["kind"]!.type) : undefined
    if (!isEnumType(kinds)) throw new Error(`${change.name} has no kinds`)
    expect(kinds.getValues().map(({ name }) => name)).toEqual(expect.arrayContaining(["SNAPSHOT", "SNAPSHOT_END"]))
  }
})
