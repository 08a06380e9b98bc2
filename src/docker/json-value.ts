/**
 * A JSON value of another program, read without trust: what is missing, or of
 * another type than expected, reads as empty.
 */
export class JsonValue {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  at(field: string): JsonValue {
    return new JsonValue(isRecord(this.#value) ? this.#value[field] : undefined)
  }

  get text(): string {
    return typeof this.#value === 'string' ? this.#value : ''
  }

  get flag(): boolean {
    return this.#value === true
  }

  get items(): readonly JsonValue[] {
    const items: readonly unknown[] = Array.isArray(this.#value)
      ? this.#value
      : []
    return items.map((item) => new JsonValue(item))
  }

  get entries(): readonly (readonly [name: string, value: JsonValue])[] {
    if (!isRecord(this.#value)) return []
    return Object.entries(this.#value).map(([name, value]) => [
      name,
      new JsonValue(value),
    ])
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
