/** What one operation may ask for, measured before it runs; fragments are measured once, however often they are spread. */
import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getOperationAST,
  GraphQLError,
  type GraphQLNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql"
import { DEFAULT_PAGE } from "./paging.ts"

export interface Limits {
  /** Words and signs of a document. */
  tokens: number
  /** Levels of fields. */
  depth: number
  aliases: number
  /** Fields directly below query, mutation or subscription. */
  rootFields: number
  /** See `costOf`. */
  cost: number
  /** Entries of any list in the variables. */
  listItems: number
  /** Of a request over HTTP, and of a message over WebSocket. */
  bodyBytes: number
  /** Operations that one WebSocket may have open. */
  operationsPerSocket: number
  /** Results that may wait for a subscriber who reads slowly, and their bytes; identical ones share theirs. */
  waitingResults: number
  waitingBytes: number
}

/** A page of 500 with one nested object, or one of 100 with a nested page of 100, is well within. */
export const DEFAULT_LIMITS: Limits = {
  tokens: 4_000,
  depth: 15,
  aliases: 50,
  rootFields: 20,
  cost: 50_000,
  listItems: 1_000,
  bodyBytes: 1_000_000,
  operationsPerSocket: 500,
  waitingResults: 1_000,
  waitingBytes: 4_000_000,
}

/** A page costs a statement of its own. */
const PAGE_COST = 10
/** How many rows a list without pages is taken to have. */
const LIST_ROWS = 5

/** What keeps this operation from running, or nothing. */
export function limitErrors(args: ExecutionArgs, limits: Limits): GraphQLError[] {
  const { document, operationName, schema, variableValues } = args
  const operation = getOperationAST(document, operationName)
  if (!operation) return []
  const measured = new Measuring(schema, fragmentsOf(args), variablesOf(operation, variableValues ?? {})).of(operation)
  const problems: [is: number, limit: number, what: string][] = [
    [measured.depth, limits.depth, "levels"],
    [measured.aliases, limits.aliases, "aliases"],
    [measured.fields, limits.rootFields, "root fields"],
    [measured.cost, limits.cost, "points of cost; ask for shorter pages"],
    [longestList(variableValues), limits.listItems, "entries in a list"],
  ]
  return problems
    .filter(([is, limit]) => is > limit)
    .map(([is, limit, what]) => {
      const message = `the operation has ${is} of at most ${limit} ${what}`
      return new GraphQLError(message, { extensions: { code: "LIMIT_EXCEEDED" } })
    })
}

interface Measured {
  depth: number
  aliases: number
  /** On this level only. */
  fields: number
  cost: number
}

type Variables = Readonly<Record<string, unknown>>

class Measuring {
  readonly #schema: GraphQLSchema
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #variables: Variables
  readonly #known = new Map<string, Measured>()

  constructor(schema: GraphQLSchema, fragments: ReadonlyMap<string, FragmentDefinitionNode>, variables: Variables) {
    this.#schema = schema
    this.#fragments = fragments
    this.#variables = variables
  }

  of({ operation, selectionSet }: OperationDefinitionNode): Measured {
    return this.#selections(selectionSet, this.#schema.getRootType(operation) ?? undefined)
  }

  #selections({ selections }: SelectionSetNode, parent: GraphQLNamedType | undefined): Measured {
    const sum: Measured = { depth: 0, aliases: 0, fields: 0, cost: 0 }
    for (const selection of selections) {
      const one =
        selection.kind === Kind.FIELD
          ? this.#field(selection, parent)
          : selection.kind === Kind.FRAGMENT_SPREAD
            ? this.#fragment(selection.name.value)
            : this.#selections(selection.selectionSet, this.#type(selection.typeCondition?.name.value) ?? parent)
      sum.depth = Math.max(sum.depth, one.depth)
      sum.aliases += one.aliases
      sum.fields += one.fields
      sum.cost += one.cost
    }
    return sum
  }

  #fragment(name: string): Measured {
    const known = this.#known.get(name)
    if (known) return known
    const fragment = this.#fragments.get(name)
    const measured = fragment
      ? this.#selections(fragment.selectionSet, this.#type(fragment.typeCondition.name.value))
      : { depth: 0, aliases: 0, fields: 0, cost: 0 }
    this.#known.set(name, measured)
    return measured
  }

  /** A scalar costs nothing, an object 1, a list its rows times what is asked of each, a page a statement more. */
  #field(field: FieldNode, parent: GraphQLNamedType | undefined): Measured {
    const aliases = field.alias ? 1 : 0
    const name = field.name.value
    // Questions about the schema are bounded by a rule of their own.
    if (name.startsWith("__")) return { depth: 0, aliases, fields: 1, cost: 0 }
    const definition = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
    const type = definition && getNamedType(definition.type)
    if (!definition || !type || !isCompositeType(type) || !field.selectionSet) {
      return { depth: 1, aliases, fields: 1, cost: 0 }
    }
    const below = this.#selections(field.selectionSet, type)
    const isPage = definition.args.some((arg) => arg.name === "first")
    const listType = isNonNullType(definition.type) ? definition.type.ofType : definition.type
    const rows = isPage ? this.#pageSize(field) : isListType(listType) && name !== "edges" ? LIST_ROWS : 1
    return {
      depth: below.depth + 1,
      aliases: below.aliases + aliases,
      fields: 1,
      cost: (isPage ? PAGE_COST : 1) + rows * below.cost,
    }
  }

  #pageSize({ arguments: given = [] }: FieldNode): number {
    for (const { name, value } of given) {
      if (name.value !== "first" && name.value !== "last") continue
      const size =
        value.kind === Kind.VARIABLE ? this.#variables[value.name.value] : Number("value" in value && value.value)
      if (typeof size === "number" && size > 0) return size
    }
    return DEFAULT_PAGE
  }

  #type(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#schema.getType(name)
  }
}

function fragmentsOf({ document }: ExecutionArgs): Map<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  return fragments
}

/** The variables with those defaults that a page size can have. */
function variablesOf({ variableDefinitions = [] }: OperationDefinitionNode, given: Variables): Variables {
  const defaults = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)] as const] : [],
  )
  return { ...Object.fromEntries(defaults), ...given }
}

/** Walks without recursion: what a client nests has no bound but its bytes. */
function longestList(variables: unknown): number {
  let longest = 0
  const waiting: unknown[] = [variables]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== "object" || value === null) continue
    if (Array.isArray(value)) longest = Math.max(longest, value.length)
    for (const within of Object.values(value)) waiting.push(within)
  }
  return longest
}
