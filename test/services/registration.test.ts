import { expect, test } from "bun:test"
import { mayCall, triggeredAction } from "../../src/services/registration.ts"

const nothing: ReadonlySet<string> = new Set()

test("BootNotification may always be said", () => {
  for (const registrationStatus of ["Accepted", "Pending", "Rejected"] as const) {
    expect(mayCall({ registrationStatus, acceptedAt: null }, "BootNotification", nothing)).toBe(true)
  }
})

test("everything else needs an identity that was accepted, and still is", () => {
  expect(mayCall({ registrationStatus: "Accepted", acceptedAt: 1 }, "Heartbeat", nothing)).toBe(true)
  expect(mayCall({ registrationStatus: "Accepted", acceptedAt: null }, "Heartbeat", nothing)).toBe(false)
  expect(mayCall({ registrationStatus: "Pending", acceptedAt: 1 }, "Heartbeat", nothing)).toBe(false)
  expect(mayCall({ registrationStatus: "Rejected", acceptedAt: 1 }, "StopTransaction", nothing)).toBe(false)
})

test("the transactions of one that was accepted go on while it is Pending: it would drop what is refused", () => {
  for (const action of ["StartTransaction", "MeterValues", "StopTransaction"]) {
    expect(mayCall({ registrationStatus: "Pending", acceptedAt: 1 }, action, nothing)).toBe(true)
    expect(mayCall({ registrationStatus: "Pending", acceptedAt: null }, action, nothing)).toBe(false)
    expect(mayCall({ registrationStatus: "Rejected", acceptedAt: 1 }, action, nothing)).toBe(false)
  }
})

test("or a trigger that asked for just this", () => {
  const pending = { registrationStatus: "Pending", acceptedAt: null } as const
  expect(mayCall(pending, "MeterValues", new Set(["MeterValues"]))).toBe(true)
  expect(mayCall(pending, "Heartbeat", new Set(["MeterValues"]))).toBe(false)
})

test("a trigger asks for the action it names; the extended one for the signed variants", () => {
  expect(triggeredAction("TriggerMessage", { requestedMessage: "FirmwareStatusNotification" })).toBe(
    "FirmwareStatusNotification",
  )
  expect(triggeredAction("ExtendedTriggerMessage", { requestedMessage: "FirmwareStatusNotification" })).toBe(
    "SignedFirmwareStatusNotification",
  )
  expect(triggeredAction("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" })).toBe(
    "SignCertificate",
  )
  expect(triggeredAction("ExtendedTriggerMessage", { requestedMessage: "LogStatusNotification" })).toBe(
    "LogStatusNotification",
  )
  expect(triggeredAction("Reset", { type: "Hard" })).toBeUndefined()
})
