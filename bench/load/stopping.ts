/**
 * The wish of whoever started a run that it ends. All that a run waits for ends with it, so that cleaning up begins at
 * once: whoever has to wait for that long ends the run by force, and nothing cleans up after that.
 */

/** The run was stopped by whoever started it. */
export class Stopped extends Error {
  override readonly name = "Stopped"
}

const controller = new AbortController()

/** Aborted, with `Stopped` as the reason, when the run is to end. Cleaning up does not listen to it. */
export const stopping: AbortSignal = controller.signal

/** Now and for good: what waits is rejected, what is yet to be started is not. */
export const stopRun = (): void => controller.abort(new Stopped("the run was stopped"))

/** Resolves after so many ms. @throws Stopped as soon as the run is to end */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    stopping.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(stopping.reason)
    }
    const timer = setTimeout(() => {
      stopping.removeEventListener("abort", stop)
      resolve()
    }, ms)
    stopping.addEventListener("abort", stop, { once: true })
  })
}
