/**
 * Resolves with the first value of `probe` that is neither undefined nor false, asking again as fast as it answers.
 * @throws Error naming `what` when that takes longer than `patienceMs`: a bound for a broken build, not an expectation.
 */
export async function until<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false> | Value | undefined | false,
  patienceMs = 15_000,
): Promise<Value> {
  const end = Date.now() + patienceMs
  while (Date.now() < end) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    await Bun.sleep(5)
  }
  throw new Error(`never came true: ${what}`)
}
