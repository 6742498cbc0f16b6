import { builder } from "../builder.ts"
import { AuthorizationStatusWords, UpdateStatusWords, UpdateTypeWords } from "../enums-of-local-lists.ts"
import { given } from "../paging.ts"
import { confirmationType, operation, operationFields } from "./operation.ts"

const IdTagInfoInput = builder.inputType("IdTagInfoInput", {
  description: "What the charge point is to know of an idTag. OCPP 1.6 §7.27.",
  fields: (t) => ({
    status: t.field({ type: AuthorizationStatusWords.type, required: true, description: "Whether it may charge." }),
    expiryDate: t.field({ type: "DateTime", description: "From then on it may not; no end when left out." }),
    parentIdTag: t.string({ description: "Its group." }),
  }),
})

const AuthorizationDataInput = builder.inputType("AuthorizationDataInput", {
  description: "One entry of a local authorization list. OCPP 1.6 §7.1.",
  fields: (t) => ({
    idTag: t.string({ required: true, description: "The idTag." }),
    idTagInfo: t.field({ type: IdTagInfoInput, description: "Left out: a differential update deletes the entry." }),
  }),
})

operation("SendLocalList", {
  description:
    "Sends a full list, which replaces the charge point's own, or a differential one, which changes it. One message, never sent again by itself: after FAILED or VERSION_MISMATCH a full list is advised. OCPP 1.6 §5.15.",
  input: builder.inputType("SendLocalListInput", {
    description:
      "SendLocalList.req. OCPP 1.6 §6.43. With neither localAuthorizationList nor idTags, FULL sends every idTag of the organisation and DIFFERENTIAL what differs from what the charge point is believed to hold; more than its SendLocalListMaxLength, where that is known, is refused then.",
    fields: (t) => ({
      ...operationFields(t),
      updateType: t.field({ type: UpdateTypeWords.type, required: true, description: "Replace or change." }),
      listVersion: t.int({ description: "The list's version after it; the next, greater one when left out." }),
      localAuthorizationList: t.field({
        type: [AuthorizationDataInput],
        description: "The entries, exactly as they are to be sent.",
      }),
      idTags: t.stringList({
        description:
          "The entries by idTag, filled with what is known of each; DIFFERENTIAL deletes one that is not known any more.",
      }),
    }),
  }),
  wire: ({ updateType, listVersion, localAuthorizationList, idTags }, { services, chargePoint }) =>
    services.localLists.request(chargePoint, {
      updateType,
      ...given({ listVersion, idTags }),
      ...(localAuthorizationList && { localAuthorizationList: localAuthorizationList.map(entryOnTheWire) }),
    }),
  confirmation: confirmationType("SendLocalList", (t) => ({
    status: t.field({
      type: UpdateStatusWords.type,
      description: "Whether it took the list.",
      resolve: ({ confirmation }) => confirmation.status,
    }),
  })),
})

interface Entry {
  idTag: string
  idTagInfo?: EntryInfo | null | undefined
}
interface EntryInfo {
  status: "Accepted" | "Blocked" | "ConcurrentTx" | "Expired" | "Invalid"
  expiryDate?: number | null | undefined
  parentIdTag?: string | null | undefined
}

/** The entry with its instant as the wire has it; what is left out stays out. */
function entryOnTheWire({ idTag, idTagInfo }: Entry) {
  if (idTagInfo == null) return { idTag }
  const { status, expiryDate, parentIdTag } = idTagInfo
  return {
    idTag,
    idTagInfo: {
      status,
      ...(expiryDate != null && { expiryDate: new Date(expiryDate).toISOString() }),
      ...(parentIdTag != null && { parentIdTag }),
    },
  }
}
