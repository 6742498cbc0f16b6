/** Following what happens: the stream's events narrowed to what a subscriber asked for, and what is there to begin with. */
import type {
  ChargePointChangeKind,
  ChargePointState,
  DiagnosticsState,
  Event,
  TransactionChangeKind,
} from "../../facts/events.ts"
import { chargePointState } from "../../facts/events.ts"
import type { CommandRow, ConnectorRow, MeterValueRow, ReservationRow, TransactionRow } from "../../facts/rows.ts"
import type { Bus, ChargePointFilter, Clock, EventStream, Reads, Store, TransactionFilter } from "../ports.ts"
import type { Viewer } from "../viewer.ts"
import { type CampaignTold, campaignPlot } from "./campaigns.ts"
import { chargePointMatcher, isOf, transactionMatcher } from "./matching.ts"
import { MessageStory, type MessageTold } from "./messages.ts"
import { foldReadings, inConnectors, keyOfConnector, type ReadingsOfConnector, Readings } from "./readings.ts"
import { type Plot, Snapshots } from "./snapshots.ts"
import type { Beginning, SnapshotKind, Story, Telling } from "./story.ts"
import { StreamStory } from "./stream-story.ts"

export interface ChargePointTold extends Telling {
  kind: ChargePointChangeKind | SnapshotKind
  /** Null with SnapshotEnd, as are what the others tell of. */
  chargePoint: ChargePointState | null
  /** The connector that changed, with kind ConnectorStatus. */
  connector: ConnectorRow | null
  /** The reservation that changed, with kind Reservation. */
  reservation: ReservationRow | null
  /** The notification's action, with kind Report. */
  action: string | null
  /** What was uploaded, with kind Diagnostics. */
  diagnostics: DiagnosticsState | null
  /** It was within the filter, or may have been, and no longer is. */
  left: boolean
}

export interface TransactionTold extends Telling {
  kind: TransactionChangeKind | SnapshotKind
  transaction: TransactionRow | null
  left: boolean
}

export interface ReadingsTold extends Telling {
  kind: "Received" | SnapshotKind
  readings: MeterValueRow[]
  chargePointId: string | null
  connectorId: number | null
  transactionId: number | null
}

export interface CommandTold extends Telling {
  kind: "Changed" | SnapshotKind
  command: CommandRow | null
}

/** What a stream of readings or of commands is narrowed to. */
export interface ReadingsOf {
  chargePointId?: string | undefined
  transactionId?: number | undefined
}
export interface CommandsOf {
  chargePointId?: string | undefined
  commandId?: string | undefined
}

type Stream = Pick<EventStream, "cursor" | "live" | "replay" | "reached" | "isAfter">

interface FollowingOptions {
  stream: Stream
  bus: Pick<Bus, "watchMessages">
  store: Pick<Store, "read">
  clock: Clock
}

const NOT_CHANGED = { connector: null, reservation: null, action: null, diagnostics: null, left: false }
/** How many of a connector's newest readings say what its meter shows. */
const LATEST_READINGS = 8

export class Following {
  readonly #stream: Stream
  readonly #bus: Pick<Bus, "watchMessages">
  readonly #read: Reads
  readonly #clock: Clock
  readonly #snapshots: Snapshots
  readonly #readings: Readings

  constructor({ stream, bus, store, clock }: FollowingOptions) {
    this.#stream = stream
    this.#bus = bus
    this.#read = store.read
    this.#clock = clock
    this.#snapshots = new Snapshots(stream, clock)
    this.#readings = new Readings(store.read)
  }

  /** Changes of the charge points that are within the filter after it or were before it. */
  chargePoints({ organisationId }: Viewer, filter: ChargePointFilter, beginning: Beginning): Story<ChargePointTold> {
    const { holds, concerns } = chargePointMatcher(filter)
    const { identities } = filter
    return this.#story<"ChargePoint", ChargePointTold, ChargePointState>(beginning, {
      interest: {
        organisationId,
        type: "ChargePoint",
        ...(identities && { identities }),
        wants: (event) => isOf(event, "ChargePoint") && concerns(event),
      },
      narrowing: filter,
      tell: (event, place) => ({
        ...place,
        kind: event.kind,
        chargePoint: event.chargePoint,
        connector: event.connector ?? null,
        reservation: event.reservation ?? null,
        action: event.action ?? null,
        diagnostics: event.diagnostics ?? null,
        left: !holds(event),
      }),
      present: async () => {
        const { rows, versions } = await this.#read.presentChargePoints(organisationId, filter)
        return { rows: rows.map(chargePointState), versions }
      },
      keyOf: ({ id }) => id,
      fold: (items, event) => {
        if (holds(event)) items.set(event.chargePoint.id, event.chargePoint)
        else items.delete(event.chargePoint.id)
      },
      show: (items, place) =>
        items.map((chargePoint) => ({ ...NOT_CHANGED, ...place, kind: "Snapshot" as const, chargePoint })),
      end: (place) => ({ ...NOT_CHANGED, ...place, kind: "SnapshotEnd", chargePoint: null }),
    })
  }

  /** Changes of the transactions that are within the filter after it or were before it; a snapshot holds those that run. */
  transactions({ organisationId }: Viewer, filter: TransactionFilter, beginning: Beginning): Story<TransactionTold> {
    const { holds, concerns } = transactionMatcher(filter)
    const { chargePointIds } = filter
    return this.#story<"Transaction", TransactionTold, TransactionRow>(beginning, {
      interest: {
        organisationId,
        type: "Transaction",
        ...(chargePointIds && { chargePointIds }),
        wants: (event) => isOf(event, "Transaction") && concerns(event),
      },
      narrowing: filter,
      tell: (event, place) => ({ ...place, kind: event.kind, transaction: event.transaction, left: !holds(event) }),
      present: () => this.#read.presentTransactions(organisationId, filter),
      keyOf: ({ transactionId }) => String(transactionId),
      fold: (items, event) => {
        const { transaction } = event
        if (holds(event) && transaction.state === "Active") items.set(String(transaction.transactionId), transaction)
        else items.delete(String(transaction.transactionId))
      },
      show: (items, place) =>
        items.map((transaction) => ({ ...place, kind: "Snapshot" as const, transaction, left: false })),
      end: (place) => ({ ...place, kind: "SnapshotEnd", transaction: null, left: false }),
    })
  }

  /** New readings with their values, which are loaded once per event on this node; a snapshot holds each connector's newest. */
  meterValues({ organisationId }: Viewer, of: ReadingsOf, beginning: Beginning): Story<ReadingsTold> {
    const narrowing = given(of)
    const { chargePointId, transactionId } = narrowing
    return this.#story<"MeterValues", ReadingsTold, ReadingsOfConnector>(beginning, {
      interest: {
        organisationId,
        type: "MeterValues",
        ...(chargePointId !== undefined && { chargePointIds: [chargePointId] }),
        ...(transactionId !== undefined && { transactionId }),
      },
      narrowing,
      tell: async (event, place) => {
        const readings = await this.#readings.of(place.cursor, event)
        // None are left where retention was faster than the reader.
        if (readings.length === 0) return undefined
        const { connectorId } = event
        const whose = { chargePointId: event.chargePointId, connectorId, transactionId: event.transactionId }
        return { ...place, kind: "Received", readings, ...whose }
      },
      present: async () => {
        const { rows, versions } = await this.#read.presentReadings(organisationId, narrowing, LATEST_READINGS)
        return { rows: inConnectors(rows), versions }
      },
      keyOf: keyOfConnector,
      fold: (items, event) => foldReadings(items, event, LATEST_READINGS),
      show: async (items, place) =>
        (await this.#readings.ofConnectors(items)).map((shown) => ({ ...place, kind: "Snapshot" as const, ...shown })),
      end: (place) => ({
        ...place,
        kind: "SnapshotEnd",
        readings: [],
        chargePointId: null,
        connectorId: null,
        transactionId: null,
      }),
    })
  }

  /** Commands as they change; a snapshot holds those that have not ended. */
  commands({ organisationId }: Viewer, of: CommandsOf, beginning: Beginning): Story<CommandTold> {
    const narrowing = given(of)
    const { chargePointId, commandId } = narrowing
    return this.#story<"Command", CommandTold, CommandRow>(beginning, {
      interest: {
        organisationId,
        type: "Command",
        ...(chargePointId !== undefined && { chargePointIds: [chargePointId] }),
        ...(commandId !== undefined && { commandId }),
      },
      narrowing,
      tell: ({ command }, place) => ({ ...place, kind: "Changed", command }),
      present: () => this.#read.presentCommands(organisationId, narrowing),
      keyOf: ({ id }) => id,
      fold: (items, { command }) => {
        if (command.state === "Queued" || command.state === "Sent") items.set(command.id, command)
        else items.delete(command.id)
      },
      show: (items, place) => items.map((command) => ({ ...place, kind: "Snapshot" as const, command })),
      end: (place) => ({ ...place, kind: "SnapshotEnd", command: null }),
    })
  }

  /** A firmware campaign as it goes on; a snapshot holds it and each of its charge points. */
  firmwareCampaign({ organisationId }: Viewer, campaignId: string, beginning: Beginning): Story<CampaignTold> {
    return this.#story(beginning, campaignPlot(this.#read, organisationId, campaignId))
  }

  /** Every frame of the charge point from now on, whether its wire log is on or not; `after` a frame, what is kept of those behind it first. */
  messages(chargePointId: string, beginning: Beginning): Story<MessageTold> {
    return new MessageStory({ chargePointId, bus: this.#bus, read: this.#read, clock: this.#clock }, beginning)
  }

  #story<Type extends Event["type"], Told extends Telling, Item>(
    beginning: Beginning,
    plot: Plot<Type, Told, Item>,
  ): Story<Told> {
    return new StreamStory({ stream: this.#stream, snapshots: this.#snapshots, plot, beginning })
  }
}

/** Without what was left out. */
const given = <Of extends object>(of: Of): { [Key in keyof Of]?: NonNullable<Of[Key]> } =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Of]?: NonNullable<Of[Key]>
  }
