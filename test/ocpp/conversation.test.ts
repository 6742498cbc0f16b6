import { describe, expect, test } from "bun:test"
import type { Timers } from "../../src/ocpp/call-queue.ts"
import { type ConversationEnds, type Handle, openConversation } from "../../src/ocpp/conversation.ts"
import { OcppError } from "../../src/ocpp/errors.ts"
import type { Level } from "../../src/ocpp/level.ts"
import type { WireMessage } from "../../src/ocpp/wire-message.ts"

type Message = [2, string, string, object] | [3, string, object] | [4, string, string, string, object]

/** Timers that fire when the test says so. */
class HeldTimers implements Timers {
  #timers = new Map<number, { callback: () => void; at: number }>()
  #next = 0
  now = 0

  set(callback: () => void, ms: number): () => void {
    const id = this.#next++
    this.#timers.set(id, { callback, at: this.now + ms })
    return () => void this.#timers.delete(id)
  }

  get running(): number {
    return this.#timers.size
  }

  pass(ms: number): void {
    this.now += ms
    for (const [id, { callback, at }] of this.#timers) {
      if (at <= this.now && this.#timers.delete(id)) callback()
    }
  }
}

/** A conversation, and the far end of its line. */
function converse(options: Partial<ConversationEnds> & { level?: Level } = {}) {
  const sent: Message[] = []
  const arrivals: ((message: Message) => void)[] = []
  const deviations: string[] = []
  const faults: unknown[] = []
  const timers = new HeldTimers()
  const conversation = openConversation({
    handle: (async () => ({ currentTime: "2026-03-01T10:00:00.000Z" })) as unknown as Handle,
    send: (text) => {
      const message = JSON.parse(text) as Message
      const arrival = arrivals.shift()
      if (arrival) arrival(message)
      else sent.push(message)
    },
    onDeviation: ({ kind }, { action }) => deviations.push(action ? `${kind} ${action}` : kind),
    onFault: (cause) => faults.push(cause),
    timers,
    ...options,
    get level() {
      return options.level ?? "tolerant"
    },
  })
  return {
    conversation,
    sent,
    deviations,
    faults,
    timers,
    /** The next message that leaves, or left unread. */
    next: (): Promise<Message> => {
      const message = sent.shift()
      return message ? Promise.resolve(message) : new Promise((resolve) => arrivals.push(resolve))
    },
    receive: (...message: unknown[]) => conversation.receive(JSON.stringify(message)),
  }
}

/** A handler that answers when the test says so. */
function heldHandler() {
  const held: {
    action: string
    request: object
    answer: (confirmation: object) => void
    fail: (cause: unknown) => void
  }[] = []
  const handle = ((action: string, request: object) =>
    new Promise((answer, fail) => held.push({ action, request, answer, fail }))) as unknown as Handle
  return { held, handle }
}

const soft = { type: "Soft" } as const
const hard = { type: "Hard" } as const
const within = { timeoutMs: 30_000 }

/** For a CALL whose end is not the point. */
const ignore = () => undefined

/** Lets everything that is ready run: a macrotask ends after all microtasks. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("a CALL of the Charge Point", () => {
  test("is handled and answered under its unique id", async () => {
    const seen: unknown[] = []
    const { receive, next } = converse({
      now: () => 1234,
      handle: (async (...call: unknown[]) => {
        seen.push(call)
        return { currentTime: "2026-03-01T10:00:00.000Z" }
      }) as unknown as Handle,
    })
    receive(2, "a", "Heartbeat", {})
    expect(await next()).toEqual([3, "a", { currentTime: "2026-03-01T10:00:00.000Z" }])
    const message = expect.objectContaining({ text: '[2,"a","Heartbeat",{}]', at: 1234, action: "Heartbeat" })
    expect(seen).toEqual([["Heartbeat", {}, { uniqueId: "a", receivedAt: 1234, message }]])
  })

  test("that comes while another is handled waits, and is answered after it", async () => {
    const { held, handle } = heldHandler()
    const { receive, next, sent } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    receive(2, "b", "Authorize", { idTag: "04A1" })
    await settle()
    expect(held.map(({ action }) => action)).toEqual(["Heartbeat"])
    held[0]!.answer({ first: true })
    expect(await next()).toEqual([3, "a", { first: true }])
    await settle()
    expect(sent).toEqual([])
    held[1]!.answer({ second: true })
    expect(await next()).toEqual([3, "b", { second: true }])
  })

  test("whose confirmation is there at once is answered at once", () => {
    const { receive, sent } = converse({ handle: (() => ({ at: "once" })) as unknown as Handle })
    receive(2, "a", "Heartbeat", {})
    receive(2, "a", "Heartbeat", {})
    expect(sent).toEqual([
      [3, "a", { at: "once" }],
      [3, "a", { at: "once" }],
    ])
  })

  test("whose confirmation would be there at once has its place behind those that wait", async () => {
    const { held, handle } = heldHandler()
    const atOnce = () => ({ at: "once" })
    const { conversation, receive, sent } = converse({
      handle: ((action: string, ...call: [never, never]) =>
        action === "Heartbeat" ? atOnce() : handle(action as "Authorize", ...call)) as unknown as Handle,
    })
    receive(2, "a", "Authorize", { idTag: "04A1" })
    receive(2, "b", "Heartbeat", {})
    receive(2, "c", "Dance", {})
    receive(2, "d", "Authorize", { idTag: "04A2" })
    receive(2, "e", "Heartbeat", {})
    receive(2, "b", "Heartbeat", {})
    const settled = conversation.settled()
    held[0]!.answer({ first: true })
    await settle()
    held[1]!.answer({ second: true })
    await settled
    expect(sent).toEqual([
      [3, "a", { first: true }],
      [3, "b", { at: "once" }],
      [4, "c", "NotImplemented", expect.any(String), {}],
      [3, "d", { second: true }],
      [3, "e", { at: "once" }],
    ])
  })

  test("is answered while a CALL of ours waits for its answer", async () => {
    const { conversation, receive, next } = converse()
    const confirmation = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(2, "a", "Heartbeat", {})
    expect(await next()).toMatchObject([3, "a", {}])
    receive(3, uniqueId, { status: "Accepted" })
    expect(await confirmation).toEqual({ status: "Accepted" })
  })

  test("may carry the unique id that a CALL of ours carries: each side has its own", async () => {
    const { conversation, receive, next } = converse()
    const confirmation = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(2, uniqueId, "Heartbeat", {})
    expect(await next()).toMatchObject([3, uniqueId, {}])
    receive(3, uniqueId, { status: "Rejected" })
    expect(await confirmation).toEqual({ status: "Rejected" })
  })

  test("said twice while it is in process is handled and answered once", async () => {
    const { held, handle } = heldHandler()
    const { receive, next, sent, deviations } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    receive(2, "b", "Heartbeat", {})
    receive(2, "b", "Heartbeat", {})
    receive(2, "a", "Heartbeat", {})
    held[0]!.answer({})
    expect(await next()).toEqual([3, "a", {}])
    await settle()
    held[1]!.answer({})
    expect(await next()).toEqual([3, "b", {}])
    await settle()
    expect(held).toHaveLength(2)
    expect(sent).toEqual([])
    expect(deviations).toEqual(["repeated-unique-id Heartbeat", "repeated-unique-id Heartbeat"])
  })

  test("said again after its answer is handled again", async () => {
    const { receive, next } = converse()
    for (let turn = 0; turn < 2; turn++) {
      receive(2, "a", "Heartbeat", {})
      expect(await next()).toMatchObject([3, "a", {}])
    }
  })

  test("whose handler refuses is answered with that refusal", async () => {
    const { held, handle } = heldHandler()
    const { receive, next, faults } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    held[0]!.fail(new OcppError("SecurityError", "not accepted yet"))
    expect(await next()).toEqual([4, "a", "SecurityError", "not accepted yet", {}])
    expect(faults).toEqual([])
  })

  test("whose handler fails is answered with InternalError, and its text stays here", async () => {
    const { held, handle } = heldHandler()
    const { receive, next, faults } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    const cause = new Error("connection to db://user:pass@host lost")
    held[0]!.fail(cause)
    expect(await next()).toEqual([4, "a", "InternalError", "", {}])
    expect(faults).toEqual([cause])
  })

  test("whose handler throws before it promises anything is answered, too, and so is the next", async () => {
    const { receive, next } = converse({
      handle: () => {
        throw new TypeError("undefined is not a function")
      },
    })
    receive(2, "a", "Heartbeat", {})
    receive(2, "b", "Heartbeat", {})
    expect(await next()).toEqual([4, "a", "InternalError", "", {}])
    expect(await next()).toEqual([4, "b", "InternalError", "", {}])
  })

  test("whose confirmation cannot be written is answered with InternalError", async () => {
    const { held, handle } = heldHandler()
    const { receive, next } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    held[0]!.answer({ big: 1n })
    expect(await next()).toEqual([4, "a", "InternalError", "", {}])
  })

  test("whose answer the socket refuses does not keep the next one from being answered", async () => {
    let broken = true
    const answered: string[] = []
    const { receive, faults } = converse({
      send: (text) => {
        if (broken) throw new Error("socket gone")
        answered.push(text)
      },
    })
    receive(2, "a", "Heartbeat", {})
    await settle()
    broken = false
    receive(2, "b", "Heartbeat", {})
    await settle()
    expect(answered).toHaveLength(1)
    expect(faults).toHaveLength(1)
  })

  test("that is no proper message is answered in its turn, without a handler", async () => {
    const { held, handle } = heldHandler()
    const { conversation, receive, next } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    conversation.receive('[2,"b","Heartbeat",{"a":tru}]')
    receive(2, "c", "Authorize", { idTag: {} })
    receive(2, "d", "Dance", {})
    held[0]!.answer({})
    expect(await next()).toEqual([3, "a", {}])
    expect(await next()).toMatchObject([4, "b", "FormationViolation", expect.any(String), {}])
    expect(await next()).toMatchObject([4, "c", "TypeConstraintViolation", expect.any(String), {}])
    expect(await next()).toMatchObject([4, "d", "NotImplemented", expect.any(String), {}])
    expect(held).toHaveLength(1)
  })

  test("is read at the level that holds when it comes", async () => {
    let level: Level = "strict"
    const { receive, next, deviations } = converse({
      get level() {
        return level
      },
    })
    receive(2, "a", "Heartbeat", { extra: 1 })
    expect(await next()).toMatchObject([4, "a", "FormationViolation", expect.any(String), {}])
    level = "tolerant"
    receive(2, "b", "Heartbeat", { extra: 1 })
    expect(await next()).toMatchObject([3, "b", {}])
    expect(deviations).toEqual(["extra-field Heartbeat"])
  })

  test("empty frames and garbage get no answer and harm nothing", async () => {
    const { conversation, receive, next, sent } = converse()
    for (const text of ["", "garbage", "{}", "[]", '[9,"x",{}]', "[2]", "[4]"]) conversation.receive(text)
    receive(2, "a", "Heartbeat", {})
    expect(await next()).toMatchObject([3, "a", {}])
    expect(sent).toEqual([])
  })

  test("beyond the bound makes the reader pause, until half of them are done", async () => {
    const { held, handle } = heldHandler()
    const asked: string[] = []
    const { receive, next } = converse({
      handle,
      maxWaitingCalls: 4,
      pauseReading: () => asked.push("pause"),
      resumeReading: () => asked.push("resume"),
    })
    for (let i = 0; i < 7; i++) receive(2, `${i}`, "Heartbeat", {})
    expect(asked).toEqual(["pause"])
    const finishOne = async (i: number) => {
      held[i]!.answer({})
      expect(await next()).toEqual([3, `${i}`, {}])
      await settle()
    }
    for (let i = 0; i < 4; i++) await finishOne(i)
    expect(asked).toEqual(["pause"])
    await finishOne(4)
    expect(asked).toEqual(["pause", "resume"])
    for (let i = 5; i < 7; i++) await finishOne(i)
    expect(asked).toEqual(["pause", "resume"])
  })
})

describe("a CALL of ours", () => {
  test("leaves only after the one before is answered", async () => {
    const { conversation, receive, next, sent } = converse()
    const first = conversation.call("Reset", soft, within)
    const second = conversation.call("Reset", hard, within)
    expect(conversation.pendingCalls).toBe(2)
    const [, firstId, , payload] = await next()
    expect(payload).toEqual(soft)
    await settle()
    expect(sent).toEqual([])
    receive(3, firstId, { status: "Accepted" })
    expect(await first).toEqual({ status: "Accepted" })
    const [, secondId, action] = await next()
    expect(action).toBe("Reset")
    expect(secondId).not.toBe(firstId)
    receive(3, secondId, { status: "Rejected" })
    expect(await second).toEqual({ status: "Rejected" })
    expect(conversation.pendingCalls).toBe(0)
  })

  test("has a unique id of at most 36 characters", async () => {
    const { conversation, next } = converse()
    conversation.call("Reset", soft, within).catch(ignore)
    const [, uniqueId] = await next()
    expect(uniqueId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test("that is refused fails with the code of the CALLERROR", async () => {
    const { conversation, receive, next } = converse()
    const answer = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(4, uniqueId, "NotSupported", "no reset here", { a: 1 })
    await expect(answer).rejects.toMatchObject({
      name: "CallRefused",
      code: "NotSupported",
      description: "no reset here",
      details: { a: 1 },
    })
  })

  test("that is refused with an unknown code tells what was written", async () => {
    const { conversation, receive, next, deviations } = converse()
    const answer = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(4, uniqueId, "Tired", "later")
    await expect(answer).rejects.toMatchObject({ name: "CallRefused", code: "GenericError", writtenCode: "Tired" })
    expect(deviations).toEqual(["unknown-error-code Reset", "short-call-error Reset"])
  })

  test("that is not answered in time fails, and the next one leaves", async () => {
    const { conversation, next, timers, receive } = converse()
    const first = conversation.call("Reset", soft, { timeoutMs: 1000 })
    const second = conversation.call("ClearCache", {}, within)
    await next()
    timers.pass(999)
    await settle()
    expect(conversation.pendingCalls).toBe(2)
    timers.pass(1)
    await expect(first).rejects.toMatchObject({ name: "CallTimeout", timeoutMs: 1000 })
    const [, uniqueId, action] = await next()
    expect(action).toBe("ClearCache")
    receive(3, uniqueId, { status: "Accepted" })
    expect(await second).toEqual({ status: "Accepted" })
    expect(timers.running).toBe(0)
  })

  test("does not take the late answer to the one before", async () => {
    const { conversation, next, timers, receive, deviations } = converse()
    const first = conversation.call("Reset", soft, { timeoutMs: 1000 })
    const [, firstId] = await next()
    timers.pass(1000)
    await expect(first).rejects.toMatchObject({ name: "CallTimeout" })
    const second = conversation.call("Reset", hard, within)
    const [, secondId] = await next()
    receive(3, firstId, { status: "Accepted" })
    receive(4, firstId, "InternalError", "", {})
    expect(deviations).toEqual(["late-answer", "late-answer"])
    receive(3, secondId, { status: "Rejected" })
    expect(await second).toEqual({ status: "Rejected" })
  })

  test("is answered once: a second answer counts for nothing", async () => {
    const { conversation, next, receive, deviations } = converse()
    const answer = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(3, uniqueId, { status: "Accepted" })
    receive(3, uniqueId, { status: "Rejected" })
    expect(await answer).toEqual({ status: "Accepted" })
    expect(deviations).toEqual(["late-answer"])
  })

  test("whose answer makes no sense fails and says where", async () => {
    const { conversation, next, receive } = converse()
    const answer = conversation.call("Reset", soft, within)
    const [, uniqueId] = await next()
    receive(3, uniqueId, { status: "Maybe" })
    await expect(answer).rejects.toMatchObject({
      name: "UnreadableConfirmation",
      cause: { code: "PropertyConstraintViolation", description: expect.stringContaining("status") },
    })
  })

  test("leaves only after beforeSend is done, and tells when it has left", async () => {
    const order: string[] = []
    const commit = Promise.withResolvers<void>()
    const { conversation, next, sent } = converse({ onMessage: ({ type }) => order.push(type) })
    conversation
      .call("Reset", soft, {
        ...within,
        beforeSend: async () => {
          order.push("committing")
          await commit.promise
          order.push("committed")
        },
        onSent: () => order.push("sent"),
      })
      .catch(ignore)
    await settle()
    expect(sent).toEqual([])
    commit.resolve()
    await next()
    await settle()
    expect(order).toEqual(["committing", "committed", "call", "sent"])
  })

  test("stays here when beforeSend fails, and the next one leaves", async () => {
    const { conversation, next } = converse()
    const first = conversation.call("Reset", soft, {
      ...within,
      beforeSend: () => Promise.reject(new Error("disk full")),
    })
    conversation.call("ClearCache", {}, within).catch(ignore)
    await expect(first).rejects.toThrow("disk full")
    expect(await next()).toMatchObject([2, expect.any(String), "ClearCache", {}])
  })

  test("that the socket refuses fails, and the next one leaves", async () => {
    let broken = true
    const left: string[] = []
    const { conversation } = converse({
      send: (text) => {
        if (broken) throw new Error("socket gone")
        left.push(text)
      },
    })
    await expect(conversation.call("Reset", soft, within)).rejects.toThrow("socket gone")
    broken = false
    conversation.call("ClearCache", {}, within).catch(ignore)
    await settle()
    expect(left).toHaveLength(1)
  })

  test("given up while it waits never leaves", async () => {
    const { conversation, next, receive, sent } = converse()
    const first = conversation.call("Reset", soft, within)
    const abort = new AbortController()
    const second = conversation.call("Reset", hard, { ...within, signal: abort.signal })
    abort.abort(new Error("changed my mind"))
    await expect(second).rejects.toThrow("changed my mind")
    expect(conversation.pendingCalls).toBe(1)
    const [, uniqueId] = await next()
    receive(3, uniqueId, { status: "Accepted" })
    await first
    await settle()
    expect(sent).toEqual([])
  })

  test("given up during beforeSend never leaves", async () => {
    const commit = Promise.withResolvers<void>()
    const abort = new AbortController()
    const { conversation, sent } = converse()
    const call = conversation.call("Reset", soft, { ...within, signal: abort.signal, beforeSend: () => commit.promise })
    abort.abort(new Error("changed my mind"))
    await expect(call).rejects.toThrow("changed my mind")
    commit.resolve()
    await settle()
    expect(sent).toEqual([])
    expect(conversation.pendingCalls).toBe(0)
  })

  test("given up after it left keeps its turn until the answer comes", async () => {
    const { conversation, next, receive, sent, deviations } = converse()
    const abort = new AbortController()
    const first = conversation.call("Reset", soft, { ...within, signal: abort.signal })
    const [, uniqueId] = await next()
    conversation.call("ClearCache", {}, within).catch(ignore)
    abort.abort(new Error("changed my mind"))
    await expect(first).rejects.toThrow("changed my mind")
    await settle()
    expect(sent).toEqual([])
    receive(3, uniqueId, { status: "Accepted" })
    expect(await next()).toMatchObject([2, expect.any(String), "ClearCache", {}])
    expect(deviations).toEqual([])
  })

  test("given up before it was asked fails at once", async () => {
    const { conversation, sent } = converse()
    await expect(
      conversation.call("Reset", soft, { ...within, signal: AbortSignal.abort(new Error("too late")) }),
    ).rejects.toThrow("too late")
    expect(sent).toEqual([])
  })
})

describe("the end of a conversation", () => {
  test("fails what waits, and tells what had left from what had not", async () => {
    const { conversation, next, timers, sent } = converse()
    const first = conversation.call("Reset", soft, within)
    const second = conversation.call("Reset", hard, within)
    const ends = Promise.allSettled([first, second])
    await next()
    conversation.close("the socket was lost")
    expect(await ends).toMatchObject([
      { reason: { name: "ConversationClosed", reason: "the socket was lost", sent: true } },
      { reason: { name: "ConversationClosed", sent: false } },
    ])
    await expect(conversation.call("ClearCache", {}, within)).rejects.toMatchObject({
      name: "ConversationClosed",
      sent: false,
    })
    expect(conversation.pendingCalls).toBe(0)
    expect(timers.running).toBe(0)
    expect(sent).toEqual([])
  })

  test("during beforeSend keeps the frame here", async () => {
    const commit = Promise.withResolvers<void>()
    const { conversation, sent } = converse()
    const call = conversation.call("Reset", soft, { ...within, beforeSend: () => commit.promise })
    conversation.close("replaced")
    await expect(call).rejects.toMatchObject({ name: "ConversationClosed", sent: false })
    commit.resolve()
    await settle()
    expect(sent).toEqual([])
  })

  test("lets CALLs that had arrived be handled, without an answer", async () => {
    const { held, handle } = heldHandler()
    const { conversation, receive, sent } = converse({ handle })
    receive(2, "a", "Heartbeat", {})
    receive(2, "b", "StopTransaction", { transactionId: 7, meterStop: 1, timestamp: "2026-03-01T10:00:00Z" })
    conversation.close("the socket was lost")
    receive(2, "c", "Heartbeat", {})
    const settled = conversation.settled()
    held[0]!.answer({})
    await settle()
    expect(held.map(({ action }) => action)).toEqual(["Heartbeat", "StopTransaction"])
    held[1]!.answer({})
    await settled
    expect(held).toHaveLength(2)
    expect(sent).toEqual([])
  })

  test("said twice is said once", async () => {
    const { conversation } = converse()
    const call = conversation.call("Reset", soft, within)
    conversation.close("first")
    conversation.close("second")
    await expect(call).rejects.toMatchObject({ reason: "first" })
  })
})

test("the wire log tells both directions, with the action that an answer belongs to", async () => {
  const log: WireMessage[] = []
  const { conversation, receive, next } = converse({ onMessage: (message) => log.push(message), now: () => 5 })
  receive(2, "a", "Heartbeat", {})
  await next()
  const answer = conversation.call("Reset", soft, within)
  const [, uniqueId] = await next()
  receive(4, uniqueId, "NotSupported", "", {})
  await expect(answer).rejects.toThrow()
  conversation.receive("?")
  receive(2, "b", "Nonsense", {})
  await next()
  const told: object[] = log.map(({ text, at, ...rest }) => rest)
  expect(told).toEqual([
    { direction: "in", type: "call", uniqueId: "a", action: "Heartbeat" },
    { direction: "out", type: "call-result", uniqueId: "a", action: "Heartbeat" },
    { direction: "out", type: "call", uniqueId, action: "Reset" },
    { direction: "in", type: "call-error", uniqueId, action: "Reset", errorCode: "NotSupported" },
    { direction: "in", type: "ignored" },
    { direction: "in", type: "call", uniqueId: "b", action: "Nonsense" },
    { direction: "out", type: "call-error", uniqueId: "b", action: "Nonsense", errorCode: "NotImplemented" },
  ])
})

test("without a listener it tells everything but the CALLRESULTs that leave", async () => {
  const log: WireMessage[] = []
  const { conversation, receive, next } = converse({ onMessage: (message) => log.push(message), isListening: false })
  receive(2, "a", "Heartbeat", {})
  await next()
  const answer = conversation.call("Reset", soft, within)
  const [, uniqueId] = await next()
  receive(3, uniqueId, { status: "Accepted" })
  await answer
  receive(2, "b", "Nonsense", {})
  await next()
  expect(log.map(({ direction, type }) => `${direction} ${type}`)).toEqual([
    "in call",
    "out call",
    "in call-result",
    "in call",
    "out call-error",
  ])
})

test("whoever cannot say whether they listen is told, and the answer leaves once", () => {
  const log: WireMessage[] = []
  const sent: string[] = []
  const faults: unknown[] = []
  const conversation = openConversation({
    handle: (() => ({ currentTime: "2026-03-01T10:00:00.000Z" })) as unknown as Handle,
    level: "tolerant",
    send: (text) => sent.push(text),
    onMessage: (message) => log.push(message),
    onFault: (cause) => faults.push(cause),
    get isListening(): boolean {
      throw new Error("store away")
    },
  })
  conversation.receive(JSON.stringify([2, "a", "Heartbeat", {}]))
  expect(sent).toEqual(['[3,"a",{"currentTime":"2026-03-01T10:00:00.000Z"}]'])
  expect(log.map(({ direction, type }) => `${direction} ${type}`)).toEqual(["in call", "out call-result"])
  expect(faults).toMatchObject([{ message: "store away" }])
})

test("a clock that throws does not disturb the conversation", () => {
  const { conversation, faults } = converse({
    now: () => {
      throw new Error("no time")
    },
  })
  conversation.receive(JSON.stringify([2, "a", "Heartbeat", {}]))
  expect(faults).toMatchObject([{ message: "no time" }])
})

test("a message has come when the reader says so", async () => {
  const log: WireMessage[] = []
  const receivedAt: number[] = []
  const handle = (async (_action: string, _request: object, meta: { receivedAt: number }) => {
    receivedAt.push(meta.receivedAt)
    return { currentTime: "2026-03-01T10:00:00.000Z" }
  }) as unknown as Handle
  const { conversation, next } = converse({ handle, onMessage: (message) => log.push(message), now: () => 7 })
  conversation.receive(JSON.stringify([2, "a", "Heartbeat", {}]), 5)
  await next()
  expect(receivedAt).toEqual([5])
  expect(log.map(({ at }) => at)).toEqual([5, 7])
})

test("an observer that throws does not disturb the conversation", async () => {
  const { receive, next, faults } = converse({
    onMessage: () => {
      throw new Error("log full")
    },
    onDeviation: () => {
      throw new Error("store away")
    },
  })
  receive(2, 1, "Heartbeat", null)
  expect(await next()).toMatchObject([3, "1", {}])
  expect(faults.length).toBeGreaterThan(0)
})
