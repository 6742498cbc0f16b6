import type { ChargePointChangeKind, ChargePointState } from "../../src/facts/events.ts"
import type { ConnectorRow } from "../../src/facts/rows.ts"
import type { Told } from "../../src/services/following.ts"
import { builder } from "../builder.ts"
import { ChargePointChangeKindWords } from "../enums.ts"
import { ChargePointFilterInput, chargePointFilter } from "../filters.ts"
import { Live } from "../live.ts"
import { ChargePoint, Connector } from "../refs.ts"
import { AFTER, type Change, changeType } from "./change.ts"

interface ChargePointChange extends Change<ChargePointChangeKind> {
  chargePoint: ChargePointState
  connector: ConnectorRow | null
  action: string | null
}

const ChargePointChangeRef = changeType<ChargePointChange>(
  "ChargePointChange",
  "A charge point has changed.",
  ChargePointChangeKindWords,
)

builder.objectFields(ChargePointChangeRef, (t) => ({
  chargePoint: t.expose("chargePoint", {
    type: ChargePoint,
    description:
      "The charge point's own fields as of the change; what hangs on it (connectors, transactions) as of now.",
  }),
  connector: t.expose("connector", {
    type: Connector,
    nullable: true,
    description: "With kind CONNECTOR_STATUS: the connector as of the change.",
  }),
  action: t.exposeString("action", {
    nullable: true,
    description: "With kind REPORT: the action of the notification.",
  }),
}))

const changeOf = ({ cursor, event }: Told<"ChargePoint">): ChargePointChange => ({
  cursor,
  at: event.at,
  kind: event.kind,
  chargePoint: event.chargePoint,
  connector: event.connector ?? null,
  action: event.action ?? null,
})

builder.subscriptionField("chargePointChanged", (t) =>
  t.field({
    type: ChargePointChangeRef,
    description: "Charge points as they change.",
    args: {
      filter: t.arg({
        type: ChargePointFilterInput,
        description:
          "Only changes after which the charge point is within; all when left out. One that leaves is not told: to see it leave, filter by what stays, such as identities.",
      }),
      after: t.arg({ type: "Cursor", description: AFTER }),
    },
    subscribe: (_root, { filter, after }, context) =>
      new Live(context, (signal) =>
        context.services.following.chargePoints(context.viewer, chargePointFilter(filter), {
          after: after ?? undefined,
          signal,
        }),
      ),
    resolve: changeOf,
  }),
)
