/** One call of a history: what was asked and answered, and when. */
export interface Event<Ask, Answer> {
  readonly ask: Ask
  readonly answer: Answer
  readonly asked: number
  readonly answered: number
}

/** What would happen if one call came after the other. */
export interface Model<State, Ask, Answer> {
  readonly first: State
  /** The state after `ask` was answered so, or `undefined` if it never is. */
  next(state: State, ask: Ask, answer: Answer): State | undefined
}

/**
 * Whether there is an order of all calls, each somewhere between its question and
 * its answer, in which the model answers as was answered.
 *
 * Tries all of them, as Wing and Gong did, and tries no state twice after the same
 * calls. States are compared by their JSON.
 */
export function isLinearizable<State, Ask, Answer>(
  history: readonly Event<Ask, Answer>[],
  model: Model<State, Ask, Answer>,
): boolean {
  const events = history.toSorted((one, other) => one.asked - other.asked)
  const tried = new Set<string>()

  const goesOn = (done: bigint, state: State): boolean => {
    const left = events.filter((_, at) => (done & (1n << BigInt(at))) === 0n)
    if (left.length === 0) return true
    const position = `${done} ${JSON.stringify(state)}`
    if (tried.has(position)) return false
    tried.add(position)
    // What was asked after another was answered comes after it.
    const first = Math.min(...left.map(({ answered }) => answered))
    return left.some((event) => {
      if (event.asked > first) return false
      const next = model.next(state, event.ask, event.answer)
      if (next === undefined) return false
      return goesOn(done | (1n << BigInt(events.indexOf(event))), next)
    })
  }
  return goesOn(0n, model.first)
}
