/** What arrived and nobody has asked for yet: a question asked late finds it, a question asked early waits for it. */
export class Inbox<T> {
  readonly #limit: number
  #kept: T[] = []
  #waiting: { matches: (item: T) => boolean; take: (item: T) => void }[] = []

  /** @param limit how many unclaimed items are kept; the oldest go first */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Hands the item to whoever waits for it, else keeps it. */
  put(item: T): void {
    const index = this.#waiting.findIndex(({ matches }) => matches(item))
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1)
    if (waiter) waiter.take(item)
    else if (this.#limit > 0) this.#kept.push(item)
    if (this.#kept.length > this.#limit) this.#kept.shift()
  }

  /** The first item that matches, kept or still to come. Rejects after `timeoutMs`, naming `what` was missed. */
  take(what: string, matches: (item: T) => boolean, timeoutMs: number): Promise<T> {
    const index = this.#kept.findIndex(matches)
    const [found] = index < 0 ? [] : this.#kept.splice(index, 1)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      const waiter = {
        matches,
        take: (item: T) => {
          clearTimeout(timer)
          resolve(item)
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(new Error(`${what} did not come within ${timeoutMs} ms`))
      }, timeoutMs)
      this.#waiting.push(waiter)
    })
  }
}
