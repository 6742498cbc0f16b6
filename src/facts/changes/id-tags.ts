import type { ChangeOf } from "../catalogue.ts"
import { organisationSubject } from "../events.ts"

const subjects = (input: { organisationId: string }) => [organisationSubject(input.organisationId)]

export const createIdTag: ChangeOf<"createIdTag"> = {
  subjects: ({ idTag }) => subjects(idTag),
  load: (facts, inputs) => facts.idTags.load(inputs.map(({ idTag }) => idTag)),
  apply(facts, { idTag }) {
    if (facts.idTags.get(idTag)) return { alreadyExists: true }
    facts.idTags.put(idTag)
    return { idTag }
  },
}

export const updateIdTag: ChangeOf<"updateIdTag"> = {
  subjects,
  load: (facts, inputs) => facts.idTags.load(inputs),
  apply(facts, { organisationId, idTagKey, change }) {
    const row = facts.idTags.get({ organisationId, idTagKey })
    if (!row) return { notFound: true }
    const idTag = { ...row, ...change }
    facts.idTags.put(idTag)
    return { idTag }
  },
}

/** Transactions keep the idTag's text; only what it may do from now on is gone. */
export const deleteIdTag: ChangeOf<"deleteIdTag"> = {
  subjects,
  load: (facts, inputs) => facts.idTags.load(inputs),
  apply(facts, { organisationId, idTagKey }) {
    const idTag = facts.idTags.get({ organisationId, idTagKey })
    if (!idTag) return { notFound: true }
    facts.idTags.delete({ organisationId, idTagKey })
    return { idTag }
  },
}
