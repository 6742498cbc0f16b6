/** The certificate's functionality Reservation: 10 cases. */
import { operate, sent } from "../expectations.ts"
import { casesOf, check } from "../stage.ts"
import type { Case, Payload, Stage } from "../stage.ts"
import { authorize, booted, charging, instant, status, stop } from "../states.ts"

const reservation = casesOf("Reservation")

interface Wish {
  connectorId?: number
  idTag?: string
  /** Seconds from now. */
  expiresIn?: number
  /** What the operator enters about the parent, and the parent on the wire. */
  parent?: { entered: Payload; parentIdTag: string }
}

/** Reserves the connector under test for the valid idTag, unless told otherwise; gives the reservationId back. */
async function reserve(stage: Stage, answer: string, wish: Wish = {}): Promise<number> {
  const { connectorId = stage.values.connectorId, idTag = stage.values.validIdTag, expiresIn = 600, parent } = wish
  const entered = { connectorId, idTag, expiryDate: instant(-expiresIn) }
  const { request } = await operate(stage, "ReserveNow", {
    input: { ...entered, ...parent?.entered },
    answer: { status: answer },
  })
  const { reservationId } = request
  check(Number.isInteger(reservationId), `reservationId was ${String(reservationId)}`)
  sent(request, { ...entered, reservationId, ...(parent && { parentIdTag: parent.parentIdTag }) })
  return Number(reservationId)
}

async function cancel(stage: Stage, reservationId: number, answer: string): Promise<void> {
  await operate(stage, "CancelReservation", { request: { reservationId }, answer: { status: answer } })
}

/** What has become of a reservation must be seen in the API. */
async function becomes(stage: Stage, reservationId: number, state: string): Promise<void> {
  const holds = ({ chargePoint }: Payload): boolean => {
    const { edges } = (chargePoint as { reservations: { edges: { node: Payload }[] } }).reservations
    return edges.some(({ node }) => node["reservationId"] === reservationId && node["state"] === state)
  }
  await stage.until(
    `reservation ${reservationId} is ${state}`,
    holds,
    `query ($identity: String!) {
      chargePoint(identity: $identity) { reservations(first: 10) { edges { node { reservationId state } } } }
    }`,
  )
}

/** A reservation that the charge point refuses holds nothing. */
async function refused(stage: Stage, answer: string): Promise<void> {
  await becomes(stage, await reserve(stage, answer), "REFUSED")
}

/** Reserved, and the charge point says so. */
async function reserved(stage: Stage, wish: Wish = {}): Promise<number> {
  const reservationId = await reserve(stage, "Accepted", wish)
  await status(stage, wish.connectorId ?? stage.values.connectorId, "Reserved")
  return reservationId
}

/** For one of two idTags with the same parent, the parent typed in. */
function forGroup({ values: { childIdTag: idTag, parentIdTag } }: Stage): Wish {
  return { idTag, parent: { entered: { parentIdTag }, parentIdTag } }
}

export const reservationCases: readonly Case[] = [
  reservation("046", "Reservation of a Connector - Transaction", async (stage) => {
    await booted(stage)
    const reservationId = await reserved(stage)
    await charging(stage, { extra: { reservationId } })
    await becomes(stage, reservationId, "USED")
  }),
  reservation("047", "Reservation of a Connector - Expire", async (stage) => {
    await booted(stage)
    const { reservationS } = stage.values
    const reservationId = await reserved(stage, { expiresIn: reservationS })
    await Bun.sleep(reservationS * 1000)
    await status(stage, stage.values.connectorId, "Available")
    await becomes(stage, reservationId, "EXPIRED")
  }),
  reservation("048_1", "Reservation - Faulted", async (stage) => {
    await booted(stage)
    await refused(stage, "Faulted")
  }),
  reservation("048_2", "Reservation - Occupied", async (stage) => {
    await booted(stage)
    await status(stage, stage.values.connectorId, "Preparing")
    await refused(stage, "Occupied")
  }),
  reservation("048_3", "Reservation - Unavailable", async (stage) => {
    await booted(stage)
    const { connectorId } = stage.values
    await operate(stage, "ChangeAvailability", {
      input: { connectorId, type: "INOPERATIVE" },
      request: { connectorId, type: "Inoperative" },
      answer: { status: "Accepted" },
    })
    await status(stage, connectorId, "Unavailable")
    await refused(stage, "Unavailable")
  }),
  reservation("048_4", "Reservation - Rejected", async (stage) => {
    await booted(stage)
    await refused(stage, "Rejected")
  }),
  reservation("049", "Reservation of a Charge Point - Transaction", async (stage) => {
    await booted(stage)
    await becomes(stage, await reserved(stage, { connectorId: 0 }), "ACTIVE")
  }),
  reservation("051", "Cancel Reservation", async (stage) => {
    await booted(stage)
    const reservationId = await reserved(stage)
    await cancel(stage, reservationId, "Accepted")
    await status(stage, stage.values.connectorId, "Available")
    await becomes(stage, reservationId, "CANCELLED")
  }),
  reservation(
    "052",
    "Cancel Reservation - Rejected",
    {
      form: "2024-04: another reservationId",
      async run(stage) {
        await booted(stage)
        const reservationId = await reserved(stage)
        await cancel(stage, reservationId + 1_000_000, "Rejected")
        await becomes(stage, reservationId, "ACTIVE")
      },
    },
    {
      form: "2025-06 and later: the same reservationId",
      async run(stage) {
        await booted(stage)
        const reservationId = await reserved(stage)
        await cancel(stage, reservationId, "Rejected")
        await becomes(stage, reservationId, "ACTIVE")
      },
    },
  ),
  reservation(
    "053",
    "Use a reserved Connector with parentIdTag",
    {
      form: "2024-04: the other idTag may stop",
      async run(stage) {
        await booted(stage)
        const { childIdTag, siblingIdTag, parentIdTag, connectorId } = stage.values
        await reserved(stage, forGroup(stage))
        const transactionId = await charging(stage, { idTag: childIdTag })
        const { idTagInfo } = await authorize(stage, siblingIdTag)
        check(parentOf(idTagInfo) === parentIdTag, `Authorize was answered ${JSON.stringify(idTagInfo)}`)
        await stop(stage, transactionId)
        await status(stage, connectorId, "Finishing")
      },
    },
    {
      form: "2025-06 and later: the other idTag starts; the parent is taken from the idTag's record",
      async run(stage) {
        await booted(stage)
        const { childIdTag, siblingIdTag, parentIdTag } = stage.values
        const parent = { entered: { withParentIdTag: true }, parentIdTag }
        const reservationId = await reserved(stage, { idTag: childIdTag, parent })
        const { idTagInfo } = await authorize(stage, siblingIdTag)
        check(parentOf(idTagInfo) === parentIdTag, `Authorize was answered ${JSON.stringify(idTagInfo)}`)
        await charging(stage, { idTag: siblingIdTag })
        await becomes(stage, reservationId, "USED")
      },
    },
  ),
]

const parentOf = (idTagInfo: unknown): unknown => (idTagInfo as Payload | undefined)?.["parentIdTag"]
