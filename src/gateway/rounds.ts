/** Going the round of all connections part by part: thousands of pings at once would keep every answer waiting. */

export class Rounds<Member> {
  readonly #members: ReadonlySet<Member>
  readonly #parts: number
  #round: Iterator<Member>

  /** The members may come and go between the visits. A round takes so many parts as long as they are as many. */
  constructor(members: ReadonlySet<Member>, parts: number) {
    this.#members = members
    this.#parts = parts
    this.#round = members.values()
  }

  /** Visits the next part of them. */
  visit(visit: (member: Member) => void): void {
    for (let left = Math.ceil(this.#members.size / this.#parts); left > 0; left--) {
      let next = this.#round.next()
      if (next.done) {
        this.#round = this.#members.values()
        next = this.#round.next()
      }
      if (next.done) return
      visit(next.value)
    }
  }
}
