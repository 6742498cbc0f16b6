/** How every mutation is declared: one input, a role, and a union of its success and its typed errors. */
import type { InputRef, ObjectRef } from "@pothos/core"
import type { Role } from "../src/facts/rows.ts"
import { allows } from "../src/services/viewer.ts"
import { type BuilderTypes, builder } from "./builder.ts"
import type { Context } from "./context.ts"
import { type ErrorName, errorTypes, Forbidden, Refusal, typedError } from "./errors.ts"

type Ref<Shape extends object> = ObjectRef<BuilderTypes, Shape>

interface Mutation<Input, Success extends object, Other extends object> {
  description: string
  /** The least role that may. */
  role: Role
  input: InputRef<Input>
  success: Ref<Success>
  /** Another way to succeed. */
  other?: { ref: Ref<Other>; is(result: Success | Other): boolean }
  errors: readonly ErrorName[]
  resolve(input: Input, context: Context): Promise<Success | Other>
}

const capitalised = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

/** Declares a mutation; its union is called `<Name>Result`. InvalidInput, Unavailable and Forbidden are members of every one. */
export function mutation<Input extends object, Success extends object, Other extends object = never>(
  name: string,
  { description, role, input, success, other, errors, resolve }: Mutation<Input, Success, Other>,
): void {
  const names: ErrorName[] = [...errors, "InvalidInput", "Unavailable", "Forbidden"]
  const members: ObjectRef<BuilderTypes, object>[] = [success, ...names.map((error) => errorTypes[error])]
  if (other) members.push(other.ref)
  const result = builder.unionType(`${capitalised(name)}Result`, {
    description: `What ${name} came to.`,
    types: members,
    resolveType: (value) => {
      if (value instanceof Refusal) return value.name
      return other?.is(value as Success | Other) ? other.ref.name : success.name
    },
  })
  builder.mutationField(name, (t) =>
    t.field({
      description: `${description} Needs role ${role.toUpperCase()}.`,
      type: result,
      args: { input: t.arg({ type: input, required: true, description: `What ${name} needs to know.` }) },
      resolve: async (_root, args, context): Promise<object> => {
        // Mutations run one after the other: the next one sees what this one changed.
        context.loaders.clear()
        try {
          if (!allows(context.viewer.role, role)) throw new Forbidden(role)
          return await resolve((args as { input: Input }).input, context)
        } catch (cause) {
          const error = typedError(cause)
          // An error that is no member of the union would break the answer: it is a fault of ours, told as one.
          if (error && names.includes(error.name)) return new Refusal(error)
          throw cause
        }
      },
    }),
  )
}
