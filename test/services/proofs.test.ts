import { expect, test } from "bun:test"
import type { ChargePointRow } from "../../src/facts/rows.ts"
import { OwnershipLost } from "../../src/services/ownership.ts"
import { BusUnavailable } from "../../src/services/ports.ts"
import { Proofs } from "../../src/services/proofs.ts"
import { newChargePoint } from "../../src/services/registration.ts"

/** Sockets of epoch 5 on a node that hears itself or not, with books that say this epoch. */
function proving({ hears, epoch = 5 }: { hears: () => Promise<void>; epoch?: number }) {
  const asked: string[][] = []
  const rowOf = (id: string): ChargePointRow => ({ ...newChargePoint("default", id, 0), id, epoch })
  const proofs = new Proofs({
    bus: { certain: hears },
    store: {
      read: {
        chargePointsByIds: async (ids) => {
          asked.push([...ids])
          return ids.map(rowOf)
        },
      },
    },
  })
  return { asked, prove: (chargePointId: string) => proofs.prove({ chargePointId, epoch: 5 }) }
}

const deaf = () => Promise.reject(new BusUnavailable("nothing is heard"))
const failureOf = (proof: Promise<void>) =>
  proof.then(
    () => undefined,
    (cause: unknown) => cause,
  )

test("a node that is only late hears itself, and asks the books of none of its sockets", async () => {
  const echo = Promise.withResolvers<void>()
  const { asked, prove } = proving({ hears: () => echo.promise })
  const proofs = [prove("one"), prove("two")]
  echo.resolve()
  await Promise.all(proofs)
  expect(asked).toEqual([])
})

test("a node that hears nothing asks the books, of all its sockets together", async () => {
  const { asked, prove } = proving({ hears: deaf })
  await Promise.all([prove("one"), prove("two")])
  expect(asked).toEqual([["one", "two"]])
})

test("a socket that is older than the books say is no longer the newest", async () => {
  const { prove } = proving({ hears: deaf, epoch: 6 })
  expect(await failureOf(prove("one"))).toBeInstanceOf(OwnershipLost)
})

test("a node that heard nothing the last time does not wait long for its echo before it asks the books", async () => {
  let hears = deaf
  const { asked, prove } = proving({ hears: () => hears() })
  await prove("one")
  const echo = Promise.withResolvers<void>()
  hears = () => echo.promise as Promise<never>
  await prove("one")
  expect(asked).toHaveLength(2)
  echo.resolve()
  await echo.promise
  // It hears again: its word is enough.
  await prove("one")
  expect(asked).toHaveLength(2)
})
