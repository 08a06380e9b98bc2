import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'

/** Far more than anything takes, on a busy machine too. */
const LONGEST = 30_000

/** Waits for something to come true of its own accord. */
export async function until(
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + LONGEST
  while (!(await condition())) {
    if (Date.now() > deadline) expect.fail('it did not come to pass in 30 s')
    await sleep(10)
  }
}
