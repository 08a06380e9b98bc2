import type { Stalls } from './loop-watch.ts'
import type { Samples } from './row.ts'

/** The most that the event loop may ever stand still, in milliseconds. */
const TARGET = 20

/** Tells how the loop stood still during `work`, or ever where that is not said. */
export function recordStalls(
  samples: Samples,
  work: string,
  stalls: Stalls,
): void {
  const record = (name: string, value: number, target?: number): void =>
    samples.record({ name, target, unit: 'ms' }, 'ours', { value })
  record(`longest stall, ${work}`, stalls.byTheClock, TARGET)
  record(`… but for waits for a processor, ${work}`, stalls.butForWaits)
  record(`… computing, ${work}`, stalls.computing)
}
