/** Does all wishes, so many at once. @throws the first failure, after all have been tried. */
export async function atOnce(limit: number, wishes: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = wishes.values()
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    for (const wish of queue) await wish().catch((cause: unknown) => failures.push(cause))
  }
  await Promise.all(Array.from({ length: limit }, work))
  if (failures.length > 0) throw failures[0]
}
