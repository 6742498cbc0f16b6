import type { ChargePointTold } from "../../src/services/following/index.ts"
import { builder } from "../builder.ts"
import { ChargePointChangeKindWords } from "../enums.ts"
import { ChargePointFilterInput, chargePointFilter } from "../filters.ts"
import { ChargePoint, Connector, DiagnosticsRef, Reservation } from "../refs.ts"
import { beginningArgs, beginningOf, changeType, LEFT } from "./change.ts"

const ChargePointChangeRef = changeType<ChargePointTold>(
  "ChargePointChange",
  "A charge point has changed, or is there.",
  ChargePointChangeKindWords,
)

builder.objectFields(ChargePointChangeRef, (t) => ({
  chargePoint: t.expose("chargePoint", {
    type: ChargePoint,
    nullable: true,
    description:
      "The charge point's own fields as of the change; what hangs on it (connectors, transactions) as of now. Null with SNAPSHOT_END only.",
  }),
  left: t.exposeBoolean("left", { description: LEFT }),
  connector: t.expose("connector", {
    type: Connector,
    nullable: true,
    description: "With kind CONNECTOR_STATUS: the connector as of the change.",
  }),
  reservation: t.expose("reservation", {
    type: Reservation,
    nullable: true,
    description: "With kind RESERVATION: the reservation as of the change.",
  }),
  action: t.exposeString("action", {
    nullable: true,
    description: "With kind REPORT: the action of the notification.",
  }),
  diagnostics: t.expose("diagnostics", {
    type: DiagnosticsRef,
    nullable: true,
    description: "With kind DIAGNOSTICS: what was received, as of the change.",
  }),
}))

builder.subscriptionField("chargePointChanged", (t) =>
  t.field({
    type: ChargePointChangeRef,
    description: "Charge points as they change.",
    args: {
      filter: t.arg({
        type: ChargePointFilterInput,
        description:
          "Only charge points within; all when left out. The change with which one leaves is told too, see left.",
      }),
      ...beginningArgs(t.arg, { snapshot: "Here: the charge points within the filter." }),
    },
    subscribe: (_root, { filter, ...beginning }, { services, viewer }) =>
      services.following.chargePoints(viewer, chargePointFilter(filter), beginningOf(beginning)),
    resolve: (told) => told,
  }),
)
