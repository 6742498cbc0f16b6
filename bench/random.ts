/** Chance that can be repeated: the same seed gives the same fleet. */

/** A number from 0 up to, not including, 1. */
export type Random = () => number

/** A small generator (mulberry32): fast, well spread, one 32-bit state. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const between = (random: Random, low: number, high: number) => low + random() * (high - low)

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[Math.floor(random() * list.length)] ?? list[0]
}

/** The waiting time until the next event of a Poisson process, in the unit of its mean. */
export const untilNext = (random: Random, mean: number) => -Math.log(1 - random()) * mean
