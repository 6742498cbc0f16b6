import { expect, test } from "bun:test"
import { Group, type Listener } from "../../graphql/fan-out/group.ts"
import { Result } from "../../graphql/fan-out/result.ts"
import type { Story, Telling } from "../../src/services/following/story.ts"
import { until } from "../support/until.ts"

const telling = (number: number): Telling => ({ cursor: String(number), at: number })

/** A story that is told as the test goes on. */
function storyOf() {
  const waiting: Telling[] = []
  let wake: () => void = () => undefined
  let isLetGo = false
  const story: Story<Telling> = {
    scope: "",
    begin: () => {
      throw new Error("a group follows only what is live")
    },
    async *live(signal) {
      signal.addEventListener("abort", () => {
        isLetGo = true
        wake()
      })
      while (!signal.aborted) {
        yield* waiting.splice(0)
        const woken = Promise.withResolvers<void>()
        wake = woken.resolve
        if (waiting.length === 0 && !signal.aborted) await woken.promise
      }
    },
    isAfter: (cursor, other) => Number(cursor) > Number(other),
    [Symbol.asyncIterator]: () => {
      throw new Error("a group follows only what is live")
    },
  }
  const tell = (...numbers: number[]) => {
    waiting.push(...numbers.map(telling))
    wake()
  }
  return { story, tell, isLetGo: () => isLetGo }
}

/** What it is told, by what came in one piece. */
class Recorder implements Listener {
  readonly pieces: number[][] = []
  ended: unknown

  receive(results: readonly Result[]): void {
    this.pieces.push(results.map(({ text }) => JSON.parse(text).data.number))
  }

  groupEnded(cause?: unknown): void {
    this.ended = cause ?? "completed"
  }
}

function groupOf(fails: (cursor: string) => boolean = () => false) {
  const { story, ...rest } = storyOf()
  const executed: string[] = []
  const group = new Group({
    story,
    execute: async (told) => {
      executed.push(...told.map(({ cursor }) => cursor))
      const failing = told.find(({ cursor }) => fails(cursor))
      if (failing) throw new Error(`${failing.cursor} cannot be told`)
      return told.map(({ cursor }) => new Result({ data: { number: Number(cursor) } }))
    },
    onEnd: () => undefined,
  })
  const join = (position: string) => {
    const recorder = new Recorder()
    group.add(recorder, position)
    return recorder
  }
  return { ...rest, group, executed, join }
}

test("what comes together is told in one piece, executed once for all", async () => {
  const { tell, join, executed } = groupOf()
  const [one, other] = [join("0"), join("0")]
  tell(1, 2, 3)
  await until("all are told", () => other.pieces.length > 0)
  expect([one.pieces, other.pieces]).toEqual([[[1, 2, 3]], [[1, 2, 3]]])
  expect(executed).toEqual(["1", "2", "3"])
})

test("of what comes together a listener is told what lies behind its own position, once and in order", async () => {
  const { tell, join } = groupOf()
  const [first, second, last] = [join("0"), join("2"), join("5")]
  tell(1, 2, 3, 4)
  await until("the first part is told", () => first.pieces.length > 0)
  tell(5, 6)
  await until("all are told", () => last.pieces.length > 0)
  expect([first, second, last].map(({ pieces }) => pieces.flat())).toEqual([[1, 2, 3, 4, 5, 6], [3, 4, 5, 6], [6]])
})

test("more than is well told together is told in parts", async () => {
  const { tell, join } = groupOf()
  const numbers = Array.from({ length: 1_000 }, (_, index) => index + 1)
  const recorder = join("0")
  tell(...numbers)
  await until("all is told", () => recorder.pieces.flat().length === numbers.length)
  expect(recorder.pieces.flat()).toEqual(numbers)
  expect(Math.max(...recorder.pieces.map(({ length }) => length))).toBeLessThan(100)
})

test("a group that cannot tell something ends for all its listeners, and lets go of its source", async () => {
  const { tell, join, isLetGo } = groupOf((cursor) => cursor === "2")
  const [one, joining] = [join("0"), join("9")]
  tell(1)
  await until("the first is told", () => one.pieces.length > 0)
  tell(2)
  await until("it has ended", () => joining.ended !== undefined)
  expect([one.ended, joining.ended].map(String)).toEqual(Array(2).fill("Error: 2 cannot be told"))
  expect(one.pieces).toEqual([[1]])
  expect(isLetGo()).toBe(true)
})
