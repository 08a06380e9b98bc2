import { AlreadyExistsError } from '../base/errors.ts'
import type { Exporter } from './exporter.ts'
import type { Importer } from './importer.ts'

/**
 * Which stores take archives in, and which give them out, each under one key:
 * `volumes`, or `images/STORE`.
 */
export class StoreRegistry {
  readonly #importers = new Entries<Importer>('importer')
  readonly #exporters = new Entries<Exporter>('exporter')

  /**
   * Makes `importer` known until the returned registration is disposed of.
   *
   * @throws AlreadyExistsError when `key` has an importer.
   */
  registerImporter(key: string, importer: Importer): Disposable {
    return this.#importers.add(key, importer)
  }

  getImporter(key: string): Importer | undefined {
    return this.#importers.get(key)
  }

  /** The keys that have an importer, sorted. */
  getImporters(): readonly string[] {
    return this.#importers.keys()
  }

  /**
   * Makes `exporter` known until the returned registration is disposed of.
   *
   * @throws AlreadyExistsError when `key` has an exporter.
   */
  registerExporter(key: string, exporter: Exporter): Disposable {
    return this.#exporters.add(key, exporter)
  }

  getExporter(key: string): Exporter | undefined {
    return this.#exporters.get(key)
  }

  /** The keys that have an exporter, sorted. */
  getExporters(): readonly string[] {
    return this.#exporters.keys()
  }
}

class Entries<T> {
  readonly #what: string
  readonly #entries = new Map<string, T>()

  constructor(what: string) {
    this.#what = what
  }

  add(key: string, entry: T): Disposable {
    if (this.#entries.has(key)) {
      throw new AlreadyExistsError(`"${key}" has an ${this.#what} already`)
    }
    this.#entries.set(key, entry)
    return {
      [Symbol.dispose]: () => {
        // Disposed of twice, it must not take its successor away.
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      },
    }
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()].toSorted()
  }
}
