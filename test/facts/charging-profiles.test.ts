import { describe, expect, test } from "bun:test"
import type { ChargingProfile } from "../../src/ocpp/types.ts"
import { chargePointRow, minute, start, stop, time } from "../support/charging.ts"
import { endOf, sentCommand } from "../support/ended-command.ts"
import { MemoryFacts, together } from "../support/facts.ts"
import { chargingProfile, type Draft } from "../support/profiles.ts"

const ACCEPTED = { status: "Accepted" }

/** A charge point cp1, and an operator who sends it commands one after the other. */
function world() {
  const facts = new MemoryFacts()
  facts.given({ chargePoints: [chargePointRow()] })
  let count = 0

  async function ended(action: string, request: object, confirmation: object | null, at = minute(count)) {
    const command = sentCommand(`c${++count}`, action, request, at)
    await facts.change("recordCommand", { command })
    await facts.change("endCommand", endOf(command, confirmation, at))
    return command
  }

  return {
    facts,
    ended,
    set: (connectorId: number, draft: Draft = {}, confirmation: object | null = ACCEPTED) =>
      ended("SetChargingProfile", { connectorId, csChargingProfiles: chargingProfile(draft) }, confirmation),
    clear: (request: object, status = "Accepted") => ended("ClearChargingProfile", request, { status }),
    remoteStart: (request: object, draft: Draft | null = {}, confirmation: object = ACCEPTED, at = minute(0)) => {
      const profile = draft && { chargingProfile: chargingProfile({ ...relative, ...draft }) }
      return ended("RemoteStartTransaction", { idTag: "04A1", ...request, ...profile }, confirmation, at)
    },
    /** A transaction that starts, and is told, so many minutes after noon. */
    starts: (minutes: number, change: Parameters<typeof start>[0] = {}) =>
      facts.change("startTransaction", start({ timestamp: time(minutes), ...change }, { receivedAt: minute(minutes) })),
    /** What is held, as ids; with the transaction where there is one. */
    held: () =>
      facts
        .rows("chargingProfiles")
        .map(({ chargingProfileId, transactionId }) =>
          transactionId === null ? chargingProfileId : `${chargingProfileId} of ${transactionId}`,
        ),
    kinds: () => facts.events.flatMap((event) => (event.type === "ChargePoint" ? [event.kind] : [])),
  }
}

const relative = { chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" } as const
const purposes = {
  max: { chargingProfilePurpose: "ChargePointMaxProfile" },
  def: { chargingProfilePurpose: "TxDefaultProfile" },
  tx: { chargingProfilePurpose: "TxProfile" },
} satisfies Record<string, Partial<ChargingProfile>>

describe("SetChargingProfile", () => {
  test("what was accepted is held, as it was sent, by which command and since when", async () => {
    const { facts, set, kinds } = world()
    await set(1, { chargingProfileId: 7, stackLevel: 2, periods: [[0, 16.5]] })
    expect(facts.rows("chargingProfiles")).toEqual([
      {
        commandId: "c1",
        organisationId: "default",
        chargePointId: "cp1",
        connectorId: 1,
        transactionId: null,
        idTagKey: null,
        chargingProfileId: 7,
        chargingProfilePurpose: "TxDefaultProfile",
        stackLevel: 2,
        chargingProfile: JSON.stringify(chargingProfile({ chargingProfileId: 7, stackLevel: 2, periods: [[0, 16.5]] })),
        acceptedAt: minute(0),
      },
    ])
    expect(kinds()).toEqual(["ChargingProfiles"])
  })

  for (const [how, confirmation] of [
    ["Rejected", { status: "Rejected" }],
    ["NotSupported", { status: "NotSupported" }],
    ["no answer", null],
  ] as const)
    test(`${how} changes nothing`, async () => {
      const { set, held, kinds } = world()
      await set(1, { chargingProfileId: 1 })
      await set(1, { chargingProfileId: 2 }, confirmation)
      expect(held()).toEqual([1])
      expect(kinds()).toEqual(["ChargingProfiles"])
    })

  const replacing: Record<string, [first: [number, Draft], second: [number, Draft], held: number[]]> = {
    "the same id, whatever else": [
      [1, { ...purposes.def, stackLevel: 1 }],
      [0, { ...purposes.max, stackLevel: 5 }],
      [1],
    ],
    "the same purpose and stack level on the connector": [[1, {}], [1, { chargingProfileId: 2 }], [2]],
    "the same purpose and stack level of the charge point as a whole": [
      [0, purposes.max],
      [1, { ...purposes.max, chargingProfileId: 2 }],
      [2],
    ],
  }
  for (const [what, [first, second, left]] of Object.entries(replacing))
    test(`replaces ${what}`, async () => {
      const { set, held } = world()
      await set(...first)
      await set(...second)
      expect(held()).toEqual(left)
    })

  const beside: Record<string, [first: [number, Draft], second: [number, Draft]]> = {
    "another connector": [
      [1, {}],
      [2, {}],
    ],
    "all connectors": [
      [0, {}],
      [1, {}],
    ],
    "another stack level": [
      [1, {}],
      [1, { stackLevel: 1 }],
    ],
    "another purpose": [
      [0, purposes.max],
      [0, purposes.def],
    ],
  }
  for (const [what, [[connectorId, draft], [otherId, other]]] of Object.entries(beside))
    test(`leaves one on ${what}`, async () => {
      const { set, held } = world()
      await set(connectorId, draft)
      await set(otherId, { ...other, chargingProfileId: 2 })
      expect(held()).toEqual([1, 2])
    })

  test("a TxProfile belongs to the transaction it names, even one that nobody knows", async () => {
    const { starts, set, held } = world()
    await starts(0)
    await set(1, { ...purposes.tx, transactionId: 1 })
    await set(1, { ...purposes.tx, transactionId: 4711, chargingProfileId: 2, stackLevel: 1 })
    expect(held()).toEqual(["1 of 1", "2 of 4711"])
  })

  test("a TxProfile that names none belongs to the one that runs on its connector", async () => {
    const { starts, set, held } = world()
    await starts(0)
    await starts(0, { connectorId: 2, idTag: "04B2" })
    await set(2, purposes.tx)
    expect(held()).toEqual(["1 of 2"])
  })

  test("or to the one there of which the charge point has still to tell", async () => {
    const { facts, set, held } = world()
    await set(1, purposes.tx)
    await set(1, { ...purposes.tx, periods: [[0, 6]] })
    expect(held()).toEqual([1])
    await facts.change("startTransaction", start({ timestamp: time(-30) }, { receivedAt: minute(1) }))
    expect(held()).toEqual(["1 of 1"])
  })

  test("what belonged to transactions that are over is forgotten with the next one", async () => {
    const { facts, starts, set, held } = world()
    await starts(0)
    await set(1, { ...purposes.tx, transactionId: 1 })
    await facts.change("stopTransaction", stop({ transactionId: 1 }))
    await set(2, { chargingProfileId: 2 })
    expect(held()).toEqual([2])
  })

  test("of a charge point that was deleted meanwhile nothing is held", async () => {
    const { facts, held } = world()
    const request = { connectorId: 1, csChargingProfiles: chargingProfile() }
    const command = sentCommand("late", "SetChargingProfile", request)
    await facts.change("recordCommand", { command })
    await facts.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: minute(1) })
    await facts.change("endCommand", endOf(command, ACCEPTED))
    expect(held()).toEqual([])
  })

  test("a deleted charge point takes its profiles along", async () => {
    const { facts, set, held } = world()
    await set(1)
    await facts.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: minute(1) })
    expect(held()).toEqual([])
  })

  test("answers that come together are taken over one after the other", async () => {
    const { facts, held } = world()
    const commands = [1, 2].map((id) =>
      sentCommand(`c${id}`, "SetChargingProfile", {
        connectorId: 1,
        csChargingProfiles: chargingProfile({ chargingProfileId: id }),
      }),
    )
    await facts.group(together("recordCommand", ...commands.map((command) => ({ command }))))
    await facts.group(together("endCommand", ...commands.map((command) => endOf(command, ACCEPTED))))
    expect(held()).toEqual([2])
  })
})

describe("ClearChargingProfile", () => {
  async function four() {
    const it = world()
    await it.starts(0)
    await it.set(0, { ...purposes.max, chargingProfileId: 1, stackLevel: 1 })
    await it.set(1, { ...purposes.def, chargingProfileId: 2, stackLevel: 1 })
    await it.set(1, { ...purposes.tx, chargingProfileId: 3, stackLevel: 1, transactionId: 1 })
    await it.set(2, { ...purposes.def, chargingProfileId: 4, stackLevel: 2 })
    return it
  }

  const cleared: Record<string, [request: object, left: (number | string)[]]> = {
    "without a field all are": [{}, []],
    "with an id the one that has it, whatever the other fields say": [
      { id: 2, connectorId: 0, chargingProfilePurpose: "TxProfile", stackLevel: 9 },
      [1, "3 of 1", 4],
    ],
    "with an id that none has none is": [{ id: 9 }, [1, 2, "3 of 1", 4]],
    "with a connector those set on it": [{ connectorId: 1 }, [1, 4]],
    "with connector 0 those of the charge point": [{ connectorId: 0 }, [2, "3 of 1", 4]],
    "with a purpose those of it": [{ chargingProfilePurpose: "TxDefaultProfile" }, [1, "3 of 1"]],
    "with a stack level those on it": [{ stackLevel: 1 }, [4]],
    "with several fields those to which all apply": [
      { connectorId: 1, chargingProfilePurpose: "TxDefaultProfile", stackLevel: 1 },
      [1, "3 of 1", 4],
    ],
    "and none where one does not": [{ connectorId: 2, stackLevel: 1 }, [1, 2, "3 of 1", 4]],
  }
  for (const [what, [request, left]] of Object.entries(cleared))
    test(`${what} cleared`, async () => {
      const { clear, held } = await four()
      await clear(request)
      expect(held()).toEqual(left)
    })

  test("Unknown leaves what was not meant, and corrects what was believed of what was", async () => {
    const { clear, held, kinds } = await four()
    const before = kinds().length
    await clear({ id: 9 }, "Unknown")
    expect(held()).toEqual([1, 2, "3 of 1", 4])
    expect(kinds()).toHaveLength(before)
    await clear({ id: 4 }, "Unknown")
    expect(held()).toEqual([1, 2, "3 of 1"])
    expect(kinds()).toHaveLength(before + 1)
  })

  test("without an answer nothing is known to be gone", async () => {
    const { ended, held } = await four()
    await ended("ClearChargingProfile", {}, null)
    expect(held()).toEqual([1, 2, "3 of 1", 4])
  })
})

describe("RemoteStartTransaction with a profile", () => {
  test("it waits for the transaction of its idTag on its connector, and then is its own", async () => {
    const { facts, remoteStart, starts, held, kinds } = world()
    await remoteStart({ connectorId: 1, idTag: "04a1" })
    expect(held()).toEqual([1])
    await starts(1)
    expect(held()).toEqual(["1 of 1"])
    expect(facts.rows("chargingProfiles")).toMatchObject([{ connectorId: 1, commandId: "c1", idTagKey: null }])
    expect(kinds()).toEqual(["ChargingProfiles", "ChargingProfiles"])
  })

  test("without a connector it waits for its idTag on any", async () => {
    const { facts, remoteStart, starts, held } = world()
    await remoteStart({})
    await starts(1, { connectorId: 2, idTag: "04B2" })
    expect(held()).toEqual([1])
    await starts(2, { connectorId: 2 })
    expect(held()).toEqual(["1 of 2"])
    expect(facts.rows("chargingProfiles")).toMatchObject([{ connectorId: 2 }])
  })

  test("a remote start that was rejected leaves nothing behind", async () => {
    const { remoteStart, starts, held } = world()
    await remoteStart({ connectorId: 1 }, {}, { status: "Rejected" })
    await starts(1)
    expect(held()).toEqual([])
  })

  test("one without a profile, or with one of another purpose, teaches nothing", async () => {
    const { remoteStart, held } = world()
    await remoteStart({ connectorId: 1 }, null)
    await remoteStart({ connectorId: 1 }, { chargingProfilePurpose: "TxDefaultProfile" })
    expect(held()).toEqual([])
  })

  test("somebody else who comes first to the connector ends the wait", async () => {
    const { remoteStart, starts, held } = world()
    await remoteStart({ connectorId: 1 })
    await starts(1, { idTag: "04B2" })
    expect(held()).toEqual([])
  })

  test("nobody waits for ever", async () => {
    const { remoteStart, starts, held, kinds } = world()
    await remoteStart({ connectorId: 1 })
    await starts(61)
    expect(held()).not.toContain("1 of 1")
    expect(kinds()).toEqual(["ChargingProfiles"])
  })

  test("of two remote starts for one connector the later one counts", async () => {
    const { remoteStart, starts, held } = world()
    await remoteStart({ connectorId: 1 }, { chargingProfileId: 1 })
    await remoteStart({ connectorId: 1, idTag: "04B2" }, { chargingProfileId: 2 })
    await starts(1, { idTag: "04B2" })
    expect(held()).toEqual(["2 of 1"])
  })

  test("those for two connectors wait side by side, be it with one id", async () => {
    const { remoteStart, starts, held } = world()
    await remoteStart({ connectorId: 1 })
    await remoteStart({ connectorId: 2 })
    expect(held()).toEqual([1, 1])
    await starts(1, { connectorId: 2 })
    expect(held()).toEqual([1, "1 of 1"])
  })

  test("what waits replaces nothing before its transaction starts, and is not there to be cleared", async () => {
    const { set, remoteStart, clear, starts, held } = world()
    await starts(-60)
    await set(1, { ...purposes.tx, chargingProfileId: 1 })
    await remoteStart({ connectorId: 1 }, { chargingProfileId: 1 }, ACCEPTED, minute(2))
    expect(held()).toEqual(["1 of 1", 1])
    await clear({})
    expect(held()).toEqual([1])
    await set(1, { ...purposes.tx, chargingProfileId: 5, transactionId: 1 })
    await starts(3)
    expect(held()).toEqual(["1 of 2"])
  })

  test("the transaction may be told before the confirmation is in the books", async () => {
    const { facts, starts, held } = world()
    const request = { idTag: "04A1", chargingProfile: chargingProfile(relative) }
    const command = sentCommand("c1", "RemoteStartTransaction", request, minute(0))
    await facts.change("recordCommand", { command })
    await starts(0)
    await facts.change("endCommand", endOf(command, ACCEPTED, minute(0)))
    expect(held()).toEqual(["1 of 1"])
  })

  test("a transaction that ran before is not the one asked for", async () => {
    const { remoteStart, starts, held } = world()
    await starts(-2)
    await remoteStart({})
    expect(held()).toEqual([1])
  })

  test("those for two idTags wait side by side, wherever they will be", async () => {
    const { remoteStart, starts, held } = world()
    await remoteStart({})
    await remoteStart({ idTag: "04B2" }, { chargingProfileId: 2 })
    expect(held()).toEqual([1, 2])
    await remoteStart({ idTag: "04b2" }, { chargingProfileId: 3 })
    expect(held()).toEqual([1, 3])
    await starts(1)
    expect(held()).toEqual(["1 of 1", 3])
  })

  test("what waited in vain is forgotten with the next profile", async () => {
    const { remoteStart, ended, held } = world()
    await remoteStart({ connectorId: 1 })
    const request = { connectorId: 1, csChargingProfiles: chargingProfile({ chargingProfileId: 2 }) }
    await ended("SetChargingProfile", request, ACCEPTED, minute(60))
    expect(held()).toEqual([1, 2])
    await ended("SetChargingProfile", request, ACCEPTED, minute(61))
    expect(held()).toEqual([2])
  })

  test("a charge point whose clock shows local time is understood", async () => {
    const { remoteStart, held, facts } = world()
    await remoteStart({ connectorId: 1 })
    await facts.change("startTransaction", start({ timestamp: time(120) }, { receivedAt: minute(1) }))
    expect(held()).toEqual(["1 of 1"])
  })

  test("a transaction of a backlog that another followed gets no profile", async () => {
    const { remoteStart, held, facts } = world()
    await facts.change("startTransaction", start({ timestamp: time(-10), idTag: "04B2" }, { receivedAt: minute(-10) }))
    await remoteStart({})
    await facts.change("startTransaction", start({ timestamp: time(-30) }, { receivedAt: minute(1) }))
    expect(held()).toEqual([1])
  })
})
