/** What makes two subscriptions the same for all who follow: their text and variables, but for where each one begins. */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  visit,
} from "graphql"
import type { ValidatedSubscriptionArgs } from "graphql/execution"

interface Shape {
  text: string
  /** The variables that the text uses. */
  variables: readonly string[]
}

/** The arguments of a subscription that say where it begins. */
const POSITIONS: ReadonlySet<string> = new Set(["after", "snapshot"])
/** Documents are parsed once, however many ask with them. */
const shapes = new WeakMap<OperationDefinitionNode, Shape>()

/** Equal for two operations that are answered alike once both have caught up, the viewer and the scope of what they follow aside. */
export function shapeOf({ document, operation, schema, variableValues }: ValidatedSubscriptionArgs): string {
  const shape = shapes.get(operation) ?? drawn(document, operation, schema.getSubscriptionType()?.name ?? "")
  shapes.set(operation, shape)
  const { coerced } = variableValues
  const given = shape.variables.filter((name) => Object.hasOwn(coerced, name)).map((name) => [name, coerced[name]])
  return JSON.stringify([shape.text, given])
}

function drawn(document: DocumentNode, operation: OperationDefinitionNode, rootType: string): Shape {
  const fragments = document.definitions
    .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
    .map((fragment) =>
      fragment.typeCondition.name.value === rootType
        ? { ...fragment, selectionSet: withoutPositions(fragment.selectionSet) }
        : fragment,
    )
  const body = { ...operation, selectionSet: withoutPositions(operation.selectionSet), variableDefinitions: [] }
  const variables = new Set<string>()
  const note = { Variable: ({ name }: { name: { value: string } }) => void variables.add(name.value) }
  for (const definition of [body, ...fragments]) visit(definition, note)
  const used = operation.variableDefinitions?.filter(({ variable }) => variables.has(variable.name.value)) ?? []
  const definitions = [{ ...body, variableDefinitions: used }, ...fragments]
  return { text: print({ kind: Kind.DOCUMENT, definitions }), variables: [...variables].sort() }
}

/** The root fields, in fragments too, without the arguments that say where a subscription begins. */
function withoutPositions({ kind, selections }: SelectionSetNode): SelectionSetNode {
  return {
    kind,
    selections: selections.map((selection) => {
      if (selection.kind === Kind.FIELD) return withoutPosition(selection)
      if (selection.kind === Kind.FRAGMENT_SPREAD) return selection
      return { ...selection, selectionSet: withoutPositions(selection.selectionSet) }
    }),
  }
}

const withoutPosition = (field: FieldNode): FieldNode => ({
  ...field,
  arguments: field.arguments?.filter(({ name }) => !POSITIONS.has(name.value)) ?? [],
})
