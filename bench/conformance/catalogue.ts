/** Every test case there is for a central system: those that are played here, and those that are not, by name. */
import { coreCases } from "./cases/core.ts"
import { firmwareManagementCases } from "./cases/firmware-management.ts"
import { localAuthListCases } from "./cases/local-auth-list.ts"
import { remoteTriggerCases } from "./cases/remote-trigger.ts"
import { reservationCases } from "./cases/reservation.ts"
import { robustnessCases } from "./cases/robustness.ts"
import { smartChargingCases } from "./cases/smart-charging.ts"
import { casesOf } from "./stage.ts"
import type { Case } from "./stage.ts"

const security = casesOf("Security")
const robust = casesOf("Robustness")

/** Cases without forms: the run says of each that it was left out. They ask for TLS, certificates or signed firmware. */
const notPlayed: readonly Case[] = [
  security("073", "Update Charge Point Password for HTTP Basic Authentication"),
  security("074", "Update Charge Point Certificate by request of Central System"),
  security("075_1", "Install a certificate on the Charge Point - ManufacturerRootCertificate"),
  security("075_2", "Install a certificate on the Charge Point - CentralSystemRootCertificate"),
  security("076", "Delete a specific certificate from the Charge Point"),
  security("077", "Invalid ChargePointCertificate Security Event"),
  security("078", "Invalid CentralSystemCertificate Security Event"),
  security("079", "Get Security Log"),
  security("080", "Secure Firmware Update"),
  security("081", "Secure Firmware Update - Invalid Signature"),
  security("083", "Upgrade Charge Point Security Profile - Accepted"),
  security("085", "Basic Authentication - Valid username/password combination"),
  security("086", "TLS - server-side certificate - Valid certificate"),
  security("087", "TLS - client-side certificate - valid certificate"),
  security("088", "WebSocket Subprotocol negotiation"),
  robust("X-04", "A client certificate of another CPO or serial number, expired or untrusted, is refused"),
  robust("X-20", "A certificate-signing request with a weak key or a broken signature is rejected"),
  robust("X-21", "The password changes when the charge point accepted the new one, and only then"),
]

/** In the order of the certificate's table. */
export const catalogue: readonly Case[] = [
  ...coreCases,
  ...localAuthListCases,
  ...firmwareManagementCases,
  ...reservationCases,
  ...remoteTriggerCases,
  ...smartChargingCases,
  ...notPlayed.filter(({ functionality }) => functionality === "Security"),
  ...[...robustnessCases, ...notPlayed.filter(({ functionality }) => functionality === "Robustness")].sort((a, b) =>
    a.id.localeCompare(b.id),
  ),
]

/** A case's id as the test-case document has it: with the suffix that says that a central system is tested. */
export const documentId = ({ id }: Pick<Case, "id">): string => (id.startsWith("TC_") ? `${id}_CSMS` : id)
