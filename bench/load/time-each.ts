/** One thing after the other, each timed. */
import { type Counts, Histogram } from "./histogram.ts"

/** Repeats for so many seconds, at least once, one at a time. @returns how long each took */
export async function timeEach(seconds: number, act: () => unknown): Promise<Counts> {
  const histogram = new Histogram()
  const end = performance.now() + seconds * 1000
  do {
    const from = performance.now()
    await act()
    histogram.add(performance.now() - from)
  } while (performance.now() < end)
  return histogram.counts()
}
