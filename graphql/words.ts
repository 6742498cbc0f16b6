/** OCPP's enum words in GraphQL's spelling: SuspendedEV is SUSPENDED_EV outside and stays SuspendedEV inside. */
import type { EnumRef } from "@pothos/core"
import { type BuilderTypes, builder } from "./builder.ts"

/** Words whose letter case says nothing about where they part. */
const WHOLE_WORDS = /^(?:k?Wh|k?varh|k?VA|k?var|k?W|SoC|RPM)$/

/** `Energy.Active.Import.Register` as ENERGY_ACTIVE_IMPORT_REGISTER, `EVDisconnected` as EV_DISCONNECTED, `L1-N` as L1_N. */
export function enumName(word: string): string {
  const parted = WHOLE_WORDS.test(word)
    ? word
    : word.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
  return parted.replace(/[.-]/g, "_").toUpperCase()
}

export interface Words<Word extends string> {
  type: EnumRef<BuilderTypes, Word>
  /** The word, or null where a charge point wrote one that the standard does not know. */
  known(text: string | null | undefined): Word | null
}

/** Declares an enum: every word with what it means. */
export function words<const Meanings extends Record<string, string>>(
  name: string,
  description: string,
  meanings: Meanings,
): Words<keyof Meanings & string> {
  type Word = keyof Meanings & string
  const values: Record<string, { value: Word; description: string }> = {}
  for (const [word, meaning] of Object.entries(meanings)) values[enumName(word)] = { value: word, description: meaning }
  const isWord = (text: string): text is Word => Object.hasOwn(meanings, text)
  return {
    type: builder.enumType(name, { description, values }),
    known: (text) => (text != null && isWord(text) ? text : null),
  }
}
