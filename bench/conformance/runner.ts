/** Plays cases, several beside each other, and keeps of each what came of it and why. */
import { atOnce } from "./at-once.ts"
import type { ResponseTime, Message, Step } from "./transcript.ts"
import { Transcript } from "./transcript.ts"
import { authorize, booted } from "./states.ts"
import type { Case, Form, Functionality } from "./stage.ts"
import { play } from "./stage-hands.ts"
import type { Target } from "./stage-hands.ts"

/** With what behind it the central system was when a form was played. */
export type Behind = "idle" | "busy"

/** One form of a case, played once. */
export interface Played {
  form?: string
  behind: Behind
  result: "pass" | "fail"
  /** Of the failure. */
  reason?: string
  ms: number
  steps: readonly Step[]
  messages: readonly Message[]
}

export interface CaseRecord {
  id: string
  name: string
  functionality: Functionality
  result: "pass" | "fail" | "skipped"
  reason?: string
  ms: number
  played: Played[]
}

export interface Round {
  behind: Behind
  /** Told of every case when it is over. */
  told(testCase: Case, played: readonly Played[]): void
}

/** Each case has connections of its own; a few beside each other fill the time in which a charge point only listens. */
const CASES_AT_ONCE = 4

const AUTHORIZE_CALLS = 200

/** Plays all of them once; a case that is interrupted is in no result. */
export async function playRound(
  cases: readonly Case[],
  target: Target,
  { behind, told }: Round,
): Promise<{ played: Map<string, Played[]>; times: ResponseTime[] }> {
  const played = new Map<string, Played[]>()
  const times: ResponseTime[] = []
  const playForms = async (testCase: Case): Promise<void> => {
    const forms: Played[] = []
    for (const form of testCase.forms) {
      const transcript = new Transcript()
      const outcome = await playForm(testCase.id, form, behind, target, transcript)
      if (target.stop?.aborted) return
      forms.push(outcome)
      times.push(...transcript.responseTimes)
    }
    played.set(testCase.id, forms)
    told(testCase, forms)
  }
  await atOnce(
    CASES_AT_ONCE,
    cases.map((testCase) => () => playForms(testCase)),
  )
  return { played, times }
}

/** One Authorize after the other on a charge point of its own; `failure` says why it ended before its end. */
export async function authorizeSeries(target: Target): Promise<{ times: ResponseTime[]; failure?: string }> {
  const transcript = new Transcript()
  const form: Form = {
    async run(stage) {
      await booted(stage)
      for (let call = 0; call < AUTHORIZE_CALLS; call++) await authorize(stage, stage.values.validIdTag)
    },
  }
  try {
    await play({ id: "AUTHORIZE", form }, target, transcript)
    return { times: transcript.responseTimes }
  } catch (cause) {
    return { times: transcript.responseTimes, failure: reasonOf(cause) }
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

async function playForm(
  id: string,
  form: Form,
  behind: Behind,
  target: Target,
  transcript: Transcript,
): Promise<Played> {
  const startedAt = performance.now()
  let reason: string | undefined
  try {
    await play({ id, form }, target, transcript)
  } catch (cause) {
    reason = reasonOf(cause)
  }
  const { steps, messages } = transcript
  return {
    ...(form.form !== undefined && { form: form.form }),
    behind,
    result: reason === undefined ? "pass" : "fail",
    ...(reason !== undefined && { reason }),
    ms: Math.round(performance.now() - startedAt),
    steps,
    messages,
  }
}

/** What a case has come to over all that was played of it; without any, it was skipped. */
export function recordOf({ id, name, functionality, forms }: Case, played: Played[]): CaseRecord {
  const failure = played.find(({ result }) => result === "fail")
  const skipped = forms.length === 0 ? "not part of this version" : "not asked for"
  const where = [failure?.form, failure?.behind === "busy" ? "with busy charge points behind" : undefined]
  const reason = failure ? [...where.filter(Boolean), failure.reason].join(": ") : skipped
  return {
    id,
    name,
    functionality,
    result: failure ? "fail" : played.length > 0 ? "pass" : "skipped",
    ...((failure || played.length === 0) && { reason }),
    ms: played.reduce((sum, { ms }) => sum + ms, 0),
    played,
  }
}
