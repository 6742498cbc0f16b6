/** How a living charge point answers what a central system asks of the base standard. OCPP 1.6 §5. */
import type { AuthorizationData } from "./authorization.ts"
import type { CallHandler } from "./conversation.ts"
import type { Selection } from "./charging-profiles.ts"
import type { Connector } from "./connector.ts"
import { chargingProfile, integer, list, optionalInteger, optionalText, text, word } from "./fields.ts"
import type { Station } from "./station.ts"
import type { Transfers } from "./transfers.ts"
import { CallError, type Payload, unobserved } from "./wire.ts"

/** The handler of each operation, by action. */
export function operations(station: Station, transfers: Transfers): Record<string, CallHandler> {
  return { ...core(station), ...remoteTrigger(station, transfers), ...lists(station), ...smartCharging(station) }
}

function core(station: Station): Record<string, CallHandler> {
  const { configuration, connectors, chargePoint } = station
  return {
    RemoteStartTransaction: (payload, after) => {
      const idTag = text(payload, "idTag")
      const wanted = optionalInteger(payload, "connectorId")
      const profile = "chargingProfile" in payload ? chargingProfile(payload, "chargingProfile") : undefined
      const connector = connectors.find(
        (one) => (wanted === undefined || one.connectorId === wanted) && one.isFreeFor(idTag),
      )
      const fits = profile === undefined || profile.chargingProfilePurpose === "TxProfile"
      if (!connector || !fits || station.registration !== "Accepted") return { status: "Rejected" }
      const preauthorized = !configuration.flag("AuthorizeRemoteTxRequests")
      after(() => void station.plugIn(connector.connectorId, idTag, { preauthorized, ...(profile && { profile }) }))
      return { status: "Accepted" }
    },
    RemoteStopTransaction: (payload, after) => {
      const transactionId = integer(payload, "transactionId")
      const connector = connectors.find(({ session }) => session?.transactionId === transactionId)
      if (!connector) return { status: "Rejected" }
      after(() => void connector.stop("Remote").catch(unobserved))
      return { status: "Accepted" }
    },
    Reset: (payload, after) => {
      const type = word(payload, "type", "Soft", "Hard")
      after(() => void station.reset(type))
      return { status: "Accepted" }
    },
    UnlockConnector: (payload, after) => {
      const connector = station.connector(integer(payload, "connectorId"))
      if (!connector) return { status: "NotSupported" }
      after(() => void connector.stop("UnlockCommand").catch(unobserved))
      return { status: connector.status === "Faulted" ? "UnlockFailed" : "Unlocked" }
    },
    ChangeAvailability: (payload) => {
      const connectorId = integer(payload, "connectorId")
      const inoperative = word(payload, "type", "Inoperative", "Operative") === "Inoperative"
      const concerned = connectorId === 0 ? connectors : connectors.filter((one) => one.connectorId === connectorId)
      if (concerned.length === 0) return { status: "Rejected" }
      if (connectorId === 0) {
        station.inoperative = inoperative
        station.reportSelf()
      }
      const answers = concerned.map((connector) => connector.makeInoperative(inoperative))
      return { status: answers.includes("Scheduled") ? "Scheduled" : "Accepted" }
    },
    GetConfiguration: (payload) => configuration.report(list(payload, "key").map(String)),
    ChangeConfiguration: (payload, after) => {
      const key = text(payload, "key")
      const value = text(payload, "value")
      const status = configuration.change(key, value)
      if (status !== "Accepted") return { status }
      if (key === "AuthorizationKey") {
        if (!/^([0-9a-f]{2}){16,20}$/i.test(value)) return { status: "Rejected" }
        chargePoint.password = Buffer.from(value, "hex")
      }
      after(() => station.applyConfiguration())
      return { status }
    },
    ClearCache: () => ({ status: station.authorization.clearCache() ? "Accepted" : "Rejected" }),
    DataTransfer: (payload) => {
      const own = text(payload, "vendorId") === chargePoint.identification.chargePointVendor
      return { status: own ? "UnknownMessageId" : "UnknownVendorId" }
    },
    "*": (_payload, _after, action) => {
      throw new CallError("NotImplemented", `${action} is unknown here`)
    },
  }
}

function remoteTrigger(station: Station, transfers: Transfers): Record<string, CallHandler> {
  const { chargePoint } = station
  const send = (action: string, payload: object) => void chargePoint.call(action, payload).catch(unobserved)
  return {
    TriggerMessage: (payload, after) => {
      const message = text(payload, "requestedMessage")
      const works = { ...triggers(station, payload, send), ...transfers.triggers(send) }
      const work = Object.hasOwn(works, message) ? works[message] : undefined
      if (work === undefined) return { status: "NotImplemented" }
      if (!concerned(station, payload)) return { status: "Rejected" }
      // Once accepted, only a start of our own brings another BootNotification. OCPP 1.6 errata §3.35.
      if (message === "BootNotification" && station.registration === "Accepted") return { status: "Rejected" }
      after(work)
      return { status: "Accepted" }
    },
  }
}

/** The connectors that a trigger speaks of; undefined when there is no such connector. */
function concerned(station: Station, payload: Payload): Connector[] | undefined {
  const connectorId = optionalInteger(payload, "connectorId")
  if (connectorId === undefined) return station.connectors
  const connector = station.connector(connectorId)
  return connector && [connector]
}

/** What TriggerMessage and ExtendedTriggerMessage have in common. OCPP 1.6 §5.17. */
export function triggers(station: Station, payload: Payload, send: (action: string, payload: object) => void) {
  const works: Record<string, () => void> = {
    BootNotification: () => void station.boot(),
    Heartbeat: () => void station.beat().catch(unobserved),
    MeterValues: () => {
      for (const connector of concerned(station, payload) ?? [])
        send("MeterValues", connector.sample("Trigger", "MeterValuesSampledData"))
    },
    StatusNotification: () => {
      if (payload["connectorId"] === undefined) send("StatusNotification", station.ownStatus)
      for (const connector of concerned(station, payload) ?? []) send("StatusNotification", connector.ownStatus)
    },
  }
  return works
}

function lists(station: Station): Record<string, CallHandler> {
  const { authorization, configuration, connectors } = station
  return {
    GetLocalListVersion: () => ({ listVersion: authorization.reportedVersion }),
    SendLocalList: (payload) => {
      if (!configuration.flag("LocalAuthListEnabled")) return { status: "NotSupported" }
      const type = word(payload, "updateType", "Differential", "Full")
      const entries = list(payload, "localAuthorizationList") as AuthorizationData[]
      return { status: authorization.updateList(integer(payload, "listVersion"), type, entries) }
    },
    ReserveNow: (payload) => {
      const connector = station.connector(integer(payload, "connectorId"))
      // Connector 0 needs ReserveConnectorZeroSupported. OCPP 1.6 §5.13.
      if (!connector) return { status: "Rejected" }
      const reservation = {
        reservationId: integer(payload, "reservationId"),
        idTag: text(payload, "idTag"),
        parentIdTag: optionalText(payload, "parentIdTag"),
        expiryDate: text(payload, "expiryDate"),
      }
      return { status: connector.reserve(reservation) }
    },
    CancelReservation: (payload) => {
      const reservationId = integer(payload, "reservationId")
      const connector = connectors.find(({ reservation }) => reservation?.reservationId === reservationId)
      connector?.cancelReservation()
      return { status: connector ? "Accepted" : "Rejected" }
    },
  }
}

function smartCharging(station: Station): Record<string, CallHandler> {
  const { profiles, configuration } = station
  return {
    SetChargingProfile: (payload) => {
      const connectorId = integer(payload, "connectorId")
      const profile = chargingProfile(payload, "csChargingProfiles")
      const { chargingProfilePurpose: purpose, stackLevel, chargingSchedule, transactionId } = profile
      const connector = station.connector(connectorId)
      if (connectorId !== 0 && !connector)
        throw new CallError("PropertyConstraintViolation", `there is no connector ${connectorId}`)
      const running = connector?.session
      const forThis = transactionId === undefined || transactionId === running?.transactionId
      const placed =
        purpose === "TxDefaultProfile" ||
        (purpose === "ChargePointMaxProfile" ? connectorId === 0 : running !== undefined && forThis)
      const fits =
        stackLevel >= 0 &&
        stackLevel <= configuration.number("ChargeProfileMaxStackLevel") &&
        chargingSchedule.chargingSchedulePeriod.length <= configuration.number("ChargingScheduleMaxPeriods") &&
        profiles.size < configuration.number("MaxChargingProfilesInstalled")
      if (!placed || !fits) return { status: "Rejected" }
      profiles.install(connectorId, profile)
      return { status: "Accepted" }
    },
    ClearChargingProfile: (payload) => ({ status: profiles.clear(payload as Selection) ? "Accepted" : "Unknown" }),
    GetCompositeSchedule: (payload) => {
      const connectorId = integer(payload, "connectorId")
      const duration = integer(payload, "duration")
      const connector = station.connector(connectorId)
      if (connectorId !== 0 && !connector) return { status: "Rejected" }
      const unit = optionalText(payload, "chargingRateUnit") === "A" ? "A" : "W"
      const of = connector ? [connector] : station.connectors
      const mostW = of.reduce((sum, { hardware }) => sum + hardware.maxW, 0)
      const running = connector?.session && {
        transactionId: connector.session.transactionId,
        startedAt: connector.session.startedAt,
      }
      const chargingSchedule = profiles.composite(connectorId, Date.now(), duration, unit, mostW, running)
      return { status: "Accepted", connectorId, scheduleStart: station.timestamp(), chargingSchedule }
    },
  }
}
