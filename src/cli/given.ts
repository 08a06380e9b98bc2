import { InvalidArgumentError } from '../base/errors.ts'

type Value = string | boolean | readonly string[]

/** What was typed after a verb, by the names of its parameters and options. */
export class Given {
  readonly #values: ReadonlyMap<string, Value>

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values
  }

  /** A parameter that must be there; the parser has seen to it. */
  text(name: string): string {
    return this.maybe(name) ?? ''
  }

  maybe(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  list(name: string): readonly string[] {
    const value = this.#values.get(name)
    return Array.isArray(value) ? value : []
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true
  }

  /**
   * A number of at least 0.
   *
   * @throws InvalidArgumentError for anything else.
   */
  count(name: string): number | undefined {
    const text = this.maybe(name)
    if (text === undefined) return undefined
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw new InvalidArgumentError(`--${name} "${text}" is not a number`)
  }

  /**
   * A list of KEY=VALUE.
   *
   * @throws InvalidArgumentError for a key that is given twice.
   */
  pairs(name: string): Readonly<Record<string, string>> {
    const pairs = new Map<string, string>()
    for (const text of this.list(name)) {
      const [key = '', ...rest] = text.split('=')
      if (pairs.has(key)) {
        throw new InvalidArgumentError(`"${key}" is given more than once`)
      }
      pairs.set(key, rest.join('='))
    }
    return Object.fromEntries(pairs)
  }

  /**
   * One of `choices`, or `undefined` where none was given.
   *
   * @throws InvalidArgumentError for anything else.
   */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.maybe(name)
    if (text === undefined) return undefined
    const choice = choices.find((one) => one === text)
    if (choice !== undefined) return choice
    throw new InvalidArgumentError(
      `${name} cannot be "${text}": give one of ${choices.join(', ')}`,
    )
  }
}
