/** Patience with an end. */

/**
 * Resolves when the work has settled, or after `patienceMs` without it; never rejects. The timer goes with the work, so
 * that a process about to end does not wait for it.
 */
export async function atMost(work: Promise<unknown>, patienceMs: number): Promise<void> {
  const enough = Promise.withResolvers<void>()
  const timer = setTimeout(enough.resolve, patienceMs)
  try {
    await Promise.race([work.catch(() => undefined), enough.promise])
  } finally {
    clearTimeout(timer)
  }
}
