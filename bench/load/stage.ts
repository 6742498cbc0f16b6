/** What every scenario finds: its settings, servers and fleets to order, and where its rows go. */
import type { Measured } from "./acts.ts"
import { Driver } from "./driver.ts"
import { type Enrolled, enrol } from "./enrol.ts"
import type { FaultRecord } from "./faults.ts"
import type { FleetPlan, Gathering, RunPlan, RunResult } from "./fleet.ts"
import type { Options } from "./options.ts"
import type { Check, Result, Row } from "./record.ts"
import { givenNode, type Node, type NodeOptions, startNode, type Subject } from "./servers.ts"

export class Stage {
  readonly options: Options
  readonly say: (line: string) => void
  readonly results: Result[] = []
  readonly limits: Row[] = []
  readonly peers: Row[] = []
  readonly checks: Check[] = []

  constructor(options: Options, say: (line: string) => void) {
    this.options = options
    this.say = say
  }

  /** The node that was given, or one of the run's own. */
  node(options: NodeOptions = {}): Promise<Node> {
    const { target, profile } = this.options
    if (target) return Promise.resolve(givenNode(target.ocppUrl, target.graphqlUrl, target.token))
    return startNode({ ...options, ...(profile !== undefined && { profileFolder: profile }) })
  }

  /** Makes charge points and idTags; disposing removes them where the node stays. */
  enrol(node: Node, plan: { chargers: number; idTags?: number; password?: string }): Promise<Enrolled> {
    return enrol(node, { idTags: 50, ...plan, stays: this.options.target === undefined })
  }
}

const FLEET = "fleet"

/** A fleet on one subject, in a generator of its own. */
export class Load implements AsyncDisposable {
  readonly subject: Subject
  readonly driver: Driver
  readonly gathering: Measured<Gathering>
  faults: FaultRecord

  private constructor(subject: Subject, driver: Driver, gathering: Measured<Gathering>) {
    this.subject = subject
    this.driver = driver
    this.gathering = gathering
    this.faults = gathering.faults
  }

  /** Connects and boots. @throws Error when not one charger came in */
  static async gather(subject: Subject, plan: Omit<FleetPlan, "url" | "dialect">): Promise<Load> {
    await using cleaning = new AsyncDisposableStack()
    const driver = cleaning.use(new Driver())
    const whole: FleetPlan = { ...plan, url: subject.ocppUrl, dialect: subject.dialect }
    const gathering = await driver.ask("gather", { name: FLEET, plan: whole, watch: subject.watched() })
    if (gathering.result.chargers === 0)
      throw new Error(`no charger came in at ${subject.name}: ${JSON.stringify(gathering.faults.examples)}`)
    cleaning.move()
    return new Load(subject, driver, gathering)
  }

  /** Load for some seconds. */
  async run(plan: RunPlan): Promise<Measured<RunResult>> {
    const measured = (await this.driver.ask("run", { runs: { [FLEET]: plan }, watch: this.subject.watched() }))[FLEET]
    if (!measured) throw new Error("the generator told nothing")
    this.faults = measured.faults
    return measured
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.driver[Symbol.asyncDispose]()
  }
}
