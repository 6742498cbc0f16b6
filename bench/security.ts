/** How a living charge point answers the security extension. OCPP 1.6 security §5. */
import {
  type CertificateHashData,
  CertificateStore,
  certificateSigningRequest,
  readCertificate,
} from "./certificates.ts"
import type { CallHandler } from "./conversation.ts"
import { object, optionalInteger, text, word } from "./fields.ts"
import { triggers } from "./operations.ts"
import type { Station } from "./station.ts"
import type { Transfers } from "./transfers.ts"
import { unobserved } from "./wire.ts"

const ROOTS = ["CentralSystemRootCertificate", "ManufacturerRootCertificate"] as const

/** The handler of each operation, by action. */
export function securityOperations(station: Station, transfers: Transfers): Record<string, CallHandler> {
  const { configuration, chargePoint } = station
  const store = new CertificateStore(configuration.number("CertificateStoreMaxLength"))
  /** The signing request that waits for its certificate. */
  let awaited: string | undefined
  const send = (action: string, payload: object) => void chargePoint.call(action, payload).catch(unobserved)

  return {
    ExtendedTriggerMessage: (payload, after) => {
      const message = text(payload, "requestedMessage")
      const connectorId = optionalInteger(payload, "connectorId")
      const works: Record<string, () => void> = {
        ...triggers(station, payload, send),
        ...transfers.securityTriggers(send),
        SignChargePointCertificate: () => {
          const { csr } = certificateSigningRequest(chargePoint.identity, configuration.text("CpoName"))
          awaited = csr
          send("SignCertificate", { csr })
        },
      }
      const work = Object.hasOwn(works, message) ? works[message] : undefined
      if (work === undefined) return { status: "NotImplemented" }
      if (connectorId !== undefined && !station.connector(connectorId)) return { status: "Rejected" }
      if (message === "BootNotification" && station.registration === "Accepted") return { status: "Rejected" }
      after(work)
      return { status: "Accepted" }
    },
    CertificateSigned: (payload) => {
      const asked = awaited !== undefined
      awaited = undefined
      return { status: asked && readCertificate(text(payload, "certificateChain")) ? "Accepted" : "Rejected" }
    },
    InstallCertificate: (payload) => {
      const type = word(payload, "certificateType", ...ROOTS)
      return { status: store.install(type, text(payload, "certificate")) }
    },
    GetInstalledCertificateIds: (payload) => {
      const certificateHashData = store.installed(word(payload, "certificateType", ...ROOTS))
      return certificateHashData.length > 0 ? { status: "Accepted", certificateHashData } : { status: "NotFound" }
    },
    DeleteCertificate: (payload) => {
      const hash: Partial<CertificateHashData> = object(payload, "certificateHashData")
      return { status: store.delete(hash) }
    },
  }
}
