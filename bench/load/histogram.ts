/** Latencies counted into buckets that are a hundredth wide, so that millions cost no memory, and sums of rounds. */

/** From one µs to a minute, a hundredth of its value wide each. */
const GROWTH = Math.log(1.01)
const SMALLEST_MS = 0.001
const BUCKETS = Math.ceil(Math.log(60_000 / SMALLEST_MS) / GROWTH) + 1

/** What a histogram becomes between processes: pairs of bucket and count. */
export type Counts = [bucket: number, count: number][]

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0

  /** One from what `counts` gave. */
  static of(counts: Counts): Histogram {
    const histogram = new Histogram()
    for (const [bucket, count] of counts) histogram.#add(bucket, count)
    return histogram
  }

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    const bucket = ms <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / GROWTH))
    this.#add(bucket, 1)
  }

  /** The ms within which this share (0 to 1) of all lies, up to one hundredth too high; 0 when there are none. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= wanted) return SMALLEST_MS * Math.exp(bucket * GROWTH)
    }
    return 0
  }

  counts(): Counts {
    return [...this.#counts.entries()].filter(([, count]) => count > 0)
  }

  #add(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
    this.#count += count
  }
}

/** The middle of several rounds, with the least and the greatest. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** @throws RangeError without values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) throw new RangeError("no rounds to look at")
  const middle = (sorted.length - 1) / 2
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return { median: (low + high) / 2, min, max }
}
