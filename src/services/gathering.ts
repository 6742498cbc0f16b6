/** What comes in bursts, acted on together: many that come at once then cost one question. */
export class Gathering<Item> implements AsyncDisposable {
  readonly #afterMs: number
  readonly #act: (items: readonly Item[]) => Promise<void>
  readonly #gathered = new Set<Item>()
  #timer: Timer | undefined
  #acting: Promise<void> = Promise.resolve()

  /** Acts on what has come so many ms after the first of it, on each item once; `act` must not reject. */
  constructor(afterMs: number, act: (items: readonly Item[]) => Promise<void>) {
    this.#afterMs = afterMs
    this.#act = act
  }

  add(item: Item): void {
    this.#gathered.add(item)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const items = [...this.#gathered]
      this.#gathered.clear()
      this.#acting = this.#act(items)
    }, this.#afterMs)
  }

  /** Drops what is still being gathered, and waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.#acting
  }
}
