/** The certificate's functionality Local Auth List Management: 6 cases. */
import { operate, sent } from "../expectations.ts"
import { casesOf, check } from "../stage.ts"
import type { Case, Payload, Stage } from "../stage.ts"
import { booted } from "../states.ts"

const localList = casesOf("Local Auth List Management")

const SEEN = "query ($identity: String!) { chargePoint(identity: $identity) { localList { listVersion lastStatus } } }"

const shows = ({ chargePoint }: Payload, expected: Payload): boolean => {
  const seen = (chargePoint as Payload | null)?.["localList"]
  return Object.entries(expected).every(([field, value]) => (seen as Payload | null)?.[field] === value)
}

async function getVersion(stage: Stage, listVersion: number): Promise<void> {
  const { result } = await operate(stage, "GetLocalListVersion", { request: {}, answer: { listVersion } })
  check(result["listVersion"] === listVersion, `the operator was told ${JSON.stringify(result)}`)
}

/** What a list must look like: a version that is one, and entries that say what they mean. */
function wellFormed(request: Payload, updateType: "Full" | "Differential", idTags: string[]): number {
  const { listVersion } = request
  check(Number.isInteger(listVersion) && Number(listVersion) > 0, `listVersion was ${String(listVersion)}`)
  const entry = (idTag: string): Payload => ({ idTag, idTagInfo: { status: "Accepted" } })
  sent(request, { updateType, listVersion, localAuthorizationList: idTags.map(entry) })
  return Number(listVersion)
}

/** A full list of the valid idTag, which Busbar fills in. */
async function sendFull(stage: Stage, answer: string): Promise<number> {
  const { validIdTag } = stage.values
  const { request } = await operate(stage, "SendLocalList", {
    input: { updateType: "FULL", idTags: [validIdTag] },
    answer: { status: answer },
  })
  return wellFormed(request, "Full", [validIdTag])
}

/** A full list that is not taken is shown as that, and is not sent again. */
const refused = (answer: string, shown: string) => async (stage: Stage) => {
  await booted(stage)
  await sendFull(stage, answer)
  await stage.until(`${shown} is shown`, (seen) => shows(seen, { lastStatus: shown }), SEEN)
}

/** A further idTag, with a list before it that the charge point holds. */
async function sendDifferential(stage: Stage): Promise<{ request: Payload; added: string; heldVersion: number }> {
  const heldVersion = await sendFull(stage, "Accepted")
  await getVersion(stage, heldVersion)
  const added = `ADDED-${stage.suffix}`
  const { request } = await operate(stage, "SendLocalList", {
    input: {
      updateType: "DIFFERENTIAL",
      localAuthorizationList: [{ idTag: added, idTagInfo: { status: "ACCEPTED" } }],
    },
    answer: { status: "Accepted" },
  })
  return { request, added, heldVersion }
}

export const localAuthListCases: readonly Case[] = [
  localList("042_1", "Get Local List Version (not supported)", async (stage) => {
    await booted(stage)
    await getVersion(stage, -1)
  }),
  localList("042_2", "Get Local List Version (empty)", async (stage) => {
    await booted(stage)
    await getVersion(stage, 0)
  }),
  localList("043_1", "Send Local Authorization List - NotSupported", refused("NotSupported", "NOT_SUPPORTED")),
  localList("043_3", "Send Local Authorization List - Failed", refused("Failed", "FAILED")),
  localList(
    "043_4",
    "Send Local Authorization List - Full",
    {
      form: "idTags by name",
      async run(stage) {
        await booted(stage)
        const listVersion = await sendFull(stage, "Accepted")
        await stage.until("the accepted version is shown", (seen) => shows(seen, { listVersion }), SEEN)
      },
    },
    {
      form: "entries and version as entered",
      async run(stage) {
        await booted(stage)
        const { validIdTag: idTag } = stage.values
        await operate(stage, "SendLocalList", {
          input: {
            updateType: "FULL",
            listVersion: 7,
            localAuthorizationList: [{ idTag, idTagInfo: { status: "ACCEPTED" } }],
          },
          request: {
            updateType: "Full",
            listVersion: 7,
            localAuthorizationList: [{ idTag, idTagInfo: { status: "Accepted" } }],
          },
          answer: { status: "Accepted" },
        })
        await stage.until("the accepted version is shown", (seen) => shows(seen, { listVersion: 7 }), SEEN)
      },
    },
  ),
  localList(
    "043_5",
    "Send Local Authorization List - Differential",
    {
      form: "2024-04",
      async run(stage) {
        await booted(stage)
        const { validIdTag } = stage.values
        const { request } = await operate(stage, "SendLocalList", {
          input: { updateType: "DIFFERENTIAL", idTags: [validIdTag] },
          answer: { status: "Accepted" },
        })
        wellFormed(request, "Differential", [validIdTag])
      },
    },
    {
      form: "2025-02 and later",
      async run(stage) {
        await booted(stage)
        const { request, added, heldVersion } = await sendDifferential(stage)
        const listVersion = wellFormed(request, "Differential", [added])
        check(listVersion > heldVersion, `version ${listVersion} does not follow ${heldVersion}`)
        await stage.until("the accepted version is shown", (seen) => shows(seen, { listVersion }), SEEN)
      },
    },
  ),
]
