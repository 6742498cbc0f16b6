/** What charge points hold as charging profiles, as far as it can still limit anything. */
import { expect, test } from "bun:test"
import type { Store } from "../../../src/services/ports.ts"
import { caller, chargePointRow, minute, start, stop, time } from "../../support/charging.ts"
import { endOf, sentCommand } from "../../support/ended-command.ts"
import { chargingProfile, type Draft } from "../../support/profiles.ts"
import type { OpenPlace } from "../place.ts"

/** The charge point accepts a profile with this command. */
async function accept(store: Store, id: string, connectorId: number, draft: Draft, chargePointId = "cp1") {
  const request = { connectorId, csChargingProfiles: chargingProfile(draft) }
  const command = { ...sentCommand(id, "SetChargingProfile", request), chargePointId }
  await store.change("recordCommand", { command })
  await store.change("endCommand", endOf(command, { status: "Accepted" }, minute(1)))
}

const heldBy = async (store: Store, ...chargePointIds: string[]) =>
  (await store.read.chargingProfilesOf(chargePointIds)).map(({ commandId }) => commandId)

export function chargingProfileContract(openPlace: OpenPlace): void {
  test("an accepted charging profile is there again after the store was opened anew", async () => {
    await using place = await openPlace()
    {
      await using store = await place.open()
      await store.change("createChargePoint", { chargePoint: chargePointRow({ voltageV: 230.5, phases: 3 }) })
      await accept(store, "c1", 1, { chargingProfileId: 7, stackLevel: 2 })
    }
    const store = await place.open()
    expect(await store.read.chargingProfilesOf(["cp1"])).toEqual([
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
        chargingProfile: JSON.stringify(chargingProfile({ chargingProfileId: 7, stackLevel: 2 })),
        acceptedAt: minute(1),
      },
    ])
    expect(await store.read.chargePointsByIds(["cp1"])).toMatchObject([{ voltageV: 230.5, phases: 3 }])
  })

  test("a charging profile is replaced and cleared, on its charge point alone", async () => {
    await using place = await openPlace()
    const store = await place.open()
    for (const id of ["cp1", "cp2"])
      await store.change("createChargePoint", { chargePoint: chargePointRow({ id, identity: id }) })
    await accept(store, "c1", 1, {})
    await accept(store, "c2", 1, {}, "cp2")
    await accept(store, "c3", 1, { periods: [[0, 6]] })
    expect(await heldBy(store, "cp1", "cp2")).toEqual(["c2", "c3"])
    const clear = sentCommand("c4", "ClearChargingProfile", {})
    await store.change("recordCommand", { command: clear })
    await store.change("endCommand", endOf(clear, { status: "Accepted" }))
    expect(await heldBy(store, "cp1", "cp2")).toEqual(["c2"])
  })

  test("a TxProfile ends with its transaction, whether that was stopped or followed by another", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    for (const connectorId of [1, 2, 3])
      await store.change("startTransaction", start({ connectorId, idTag: `TAG-${connectorId}` }, {}, `m${connectorId}`))
    const running = await store.read.activeTransactionsOf(["cp1"])
    for (const { connectorId, transactionId } of running)
      await accept(store, `c${connectorId}`, connectorId, {
        chargingProfileId: connectorId,
        chargingProfilePurpose: "TxProfile",
        transactionId,
      })
    await accept(store, "unknown", 1, {
      chargingProfileId: 9,
      stackLevel: 9,
      chargingProfilePurpose: "TxProfile",
      transactionId: 4711,
    })
    expect((await heldBy(store, "cp1")).sort()).toEqual(["c1", "c2", "c3", "unknown"])
    const stopped = running.find((row) => row.connectorId === 1)!.transactionId
    await store.change("stopTransaction", stop({ transactionId: stopped }))
    await store.change("startTransaction", start({ connectorId: 2, timestamp: time(5) }))
    expect((await heldBy(store, "cp1")).sort()).toEqual(["c3", "unknown"])
  })

  test("a remote start's profile finds its transaction, be they committed together", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    const profile = chargingProfile({ chargingProfilePurpose: "TxProfile", chargingProfileKind: "Relative" })
    const request = { idTag: "04A1", connectorId: 1, chargingProfile: profile }
    const command = sentCommand("c1", "RemoteStartTransaction", request)
    await store.change("recordCommand", { command })
    const [, { transactionId }] = await Promise.all([
      store.change("endCommand", endOf(command, { status: "Accepted" })),
      store.change("startTransaction", start({}, caller({ receivedAt: minute(0) }))),
    ])
    expect(await store.read.chargingProfilesOf(["cp1"])).toMatchObject([
      { transactionId, connectorId: 1, idTagKey: null },
    ])
  })

  test("a charge point that is deleted leaves no charging profile behind", async () => {
    await using place = await openPlace()
    const store = await place.open()
    await store.change("createChargePoint", { chargePoint: chargePointRow() })
    await accept(store, "c1", 1, {})
    await store.change("deleteChargePoint", { organisationId: "default", chargePointId: "cp1", at: minute(2) })
    expect(await heldBy(store, "cp1")).toEqual([])
  })
}
