/** What happens to a call: it may wait, or throw. */
export type CallFault = (call: string) => Promise<void> | void

/** Trouble that can be changed at any time. */
export interface Faults {
  /** A failure here means that nothing was done. */
  before: CallFault
  /** A failure here means that nobody heard of it. */
  after: CallFault
}

export function noFaults(): Faults {
  return { before: nothing, after: nothing }
}

/** A fault that strikes at the call `number`, counted from now on. */
export function atCall(number: number, fault: CallFault): CallFault {
  let count = 0
  return (call) => (++count === number ? fault(call) : undefined)
}

/** `target`, with trouble on the way to each of its asynchronous methods, or back. */
export function faulty<T extends object>(target: T, faults: Faults): T {
  return new Proxy(target, {
    get(_target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return async (...values: unknown[]) => {
        await faults.before(String(name))
        const result: unknown = await Reflect.apply(value, target, values)
        await faults.after(String(name))
        return result
      }
    },
  })
}

function nothing(): void {}
