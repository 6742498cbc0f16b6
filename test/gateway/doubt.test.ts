import { expect, test } from "bun:test"
import { Doubt } from "../../src/gateway/doubt.ts"
import { OwnershipLost } from "../../src/services/ownership.ts"

/** A doubt whose end the test decides, and what became of it, in order. */
function doubting({ isOver = false } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const happened: string[] = []
  const note = (what: string) => () => void happened.push(what)
  const doubt = new Doubt({
    prove: () => promise,
    pause: note("pause"),
    resume: note("resume"),
    take: (text) => happened.push(`take ${text}`),
    write: (text) => happened.push(`write ${text}`),
    ended: note("ended"),
    lost: note("lost"),
    isOver: () => isOver,
  })
  return { doubt, happened, isNewest: resolve, fails: reject }
}

test("what is heard and said in doubt waits, and follows in order when the doubt has ended", async () => {
  const { doubt, happened, isNewest } = doubting()
  doubt.hear("a CALL")
  doubt.say("an answer to the one before")
  expect(happened).toEqual([])
  isNewest()
  await doubt.end
  // The CALL may be answered at once: what was to be said before it is said first.
  expect(happened).toEqual(["ended", "write an answer to the one before", "take a CALL", "resume"])
})

test("reading stops where more than one frame comes in doubt", async () => {
  const { doubt, happened, isNewest } = doubting()
  doubt.hear("one")
  expect(happened).toEqual([])
  doubt.hear("two")
  expect(happened).toEqual(["pause"])
  isNewest()
  await doubt.end
  expect(happened).toEqual(["pause", "ended", "take one", "take two", "resume"])
})

test("where a newer socket is found nothing is taken and nothing said", async () => {
  const { doubt, happened, fails } = doubting()
  doubt.hear("a CALL")
  doubt.say("an answer")
  fails(new OwnershipLost())
  await doubt.end
  expect(happened).toEqual(["ended", "lost"])
})

test("what a socket had sent before it was closed is taken where nobody can tell, and nothing is said", async () => {
  const { doubt, happened, fails } = doubting({ isOver: true })
  doubt.hear("a StopTransaction")
  doubt.say("an answer")
  fails(new Error("nobody can tell"))
  await doubt.end
  expect(happened).toEqual(["ended", "take a StopTransaction", "resume"])
})
