/**
 * How often the event loop goes round while `task` is done, and its result. Each
 * time, `look` has a look at what is being done.
 */
export async function countTurns<T>(
  task: () => Promise<T>,
  look: () => void = () => {},
): Promise<{ readonly turns: number; readonly result: T }> {
  let turns = 0
  let isOver = false
  const count = (): void => {
    if (isOver) return
    turns += 1
    look()
    setImmediate(count)
  }
  setImmediate(count)
  const result = await task()
  isOver = true
  return { turns, result }
}

/** Computes for longer than a turn shall last. */
export function busy(): void {
  const until = performance.now() + 10
  while (performance.now() < until);
}
