import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotFoundError,
  UnavailableError,
} from '../../src/base/errors.ts'
import type { ImportOptions } from '../../src/storage/data-sink.ts'
import type { ExportOptions } from '../../src/storage/data-source.ts'
import { ownedStream } from '../../src/storage/owned-stream.ts'
import { type Part, Storage } from '../../src/storage/storage.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('Storage', () => {
  const dataRoot = useTempDir()
  let events: string[]

  beforeEach(() => {
    events = []
  })

  function open(...parts: readonly Part[]): Promise<Storage> {
    const settings = { dataRoot: dataRoot.path, closeWithin: 100 }
    return Storage.open(settings, parts)
  }

  /** A part with one store, whose imports and exports take as long as `stuck`. */
  function part(name: string, stuck = false): Part {
    return async ({ registry }) => {
      events.push(`open ${name}`)
      const registrations = [
        registry.registerImporter(name, {
          openSink: refuse,
          async import(_id, tar, { signal }: ImportOptions = {}) {
            if (stuck) await once(signal!, 'abort')
            signal?.throwIfAborted()
            const bytes = (await text(tar)).length
            return { entries: 1, bytes, skipped: [] }
          },
        }),
        registry.registerExporter(name, {
          openSource: refuse,
          async export(id, { signal }: ExportOptions = {}) {
            const inner = stuck
              ? new Readable({ read: () => undefined })
              : Readable.from([Buffer.from(`tar of ${id}`)])
            const letGo = async (): Promise<void> => {
              events.push(`let go of ${id}`)
            }
            return ownedStream(inner, letGo, signal)
          },
        }),
      ]
      return {
        async [Symbol.asyncDispose]() {
          for (const registration of registrations) {
            registration[Symbol.dispose]()
          }
          events.push(`close ${name}`)
        },
      }
    }
  }

  it('opens its parts in order, and closes the last one first', async () => {
    const storage = await open(part('a'), part('b'))
    expect(storage.registry.getImporters()).to.deep.equal(['a', 'b'])
    await storage.close()
    expect(events).to.deep.equal(['open a', 'open b', 'close b', 'close a'])
    expect(storage.registry.getExporters()).to.deep.equal([])
  })

  it('refuses a wrong configuration before anything is touched', async () => {
    const opening = Storage.open({ dataRoot: 'relative' }, [part('a')])
    await expectRejection(opening, InvalidArgumentError, /dataRoot/)
    expect(events).to.deep.equal([])
    expect(await fs.readdir(dataRoot.path)).to.deep.equal([])
  })

  it('can be opened again after closing, any number of times', async () => {
    for (let round = 0; round < 3; round++) {
      await using storage = await open(part('a'))
      expect(await text(await storage.export('a', 'x'))).to.equal('tar of x')
    }
  })

  it('fails to open as often as the cause stands, and closes what was open', async () => {
    let isBroken = true
    const broken: Part = async (storage) => {
      if (isBroken) throw new Error('disk missing')
      return part('b')(storage)
    }
    for (let round = 0; round < 2; round++) {
      await expectRejection(open(part('a'), broken), Error, /disk missing/)
    }
    expect(events).to.deep.equal(['open a', 'close a', 'open a', 'close a'])

    isBroken = false
    await using storage = await open(part('a'), broken)
    expect(storage.registry.getImporters()).to.deep.equal(['a', 'b'])
  })

  it('imports and exports by the key of a store and an id', async () => {
    await using storage = await open(part('a'))
    const result = await storage.import('a', 'x', Readable.from(['tar']))
    expect(result.bytes).to.equal(3)
    const nowhere = storage.import('z', 'x', Readable.from(['tar']))
    await expectRejection(nowhere, NotFoundError, /"z"/)
    await expectRejection(storage.export('z', 'x'), NotFoundError, /"z"/)
  })

  it('closes once, however often it is asked', async () => {
    const storage = await open(part('a'))
    await Promise.all([storage.close(), storage.close()])
    await storage.close()
    expect(events).to.deep.equal(['open a', 'close a'])
  })

  it('refuses new work once it closes', async () => {
    const storage = await open(part('a'))
    const closing = storage.close()
    await expectRejection(storage.export('a', 'x'), UnavailableError)
    await closing
    const late = storage.import('a', 'x', Readable.from([]))
    await expectRejection(late, UnavailableError)
  })

  it('lets a running export finish before it closes', async () => {
    const storage = await open(part('a'))
    const tar = await storage.export('a', 'x')
    const closing = storage.close()
    expect(await text(tar)).to.equal('tar of x')
    await closing
    expect(events).to.deep.equal(['open a', 'let go of x', 'close a'])
  })

  it('aborts what does not finish in time, and waits until it let go', async () => {
    const storage = await open(part('a', true))
    const reading = text(await storage.export('a', 'x'))
    const writing = storage.import('a', 'y', Readable.from([]))
    const read = expectRejection(reading, Error, /abort/)
    const written = expectRejection(writing, Error, /abort/)
    await storage.close()
    await Promise.all([read, written])
    expect(events).to.deep.equal(['open a', 'let go of x', 'close a'])
  })

  it('aborts an export when its own signal says so', async () => {
    await using storage = await open(part('a', true))
    const abort = new AbortController()
    const tar = await storage.export('a', 'x', { signal: abort.signal })
    abort.abort()
    const error = await expectRejection(text(tar), Error)
    expect(error.name).to.equal('AbortError')
    expect(events).to.include('let go of x')
  })

  it('closes the other parts when one fails to, and tells of it', async () => {
    const storage = await open(part('a'), failing)
    await expectRejection(storage.close(), Error, /cannot unmount/)
    expect(events).to.deep.equal(['open a', 'close a'])
  })
})

async function refuse(): Promise<never> {
  throw new Error('not asked for')
}

const failing: Part = async () => ({
  async [Symbol.asyncDispose]() {
    throw new Error('cannot unmount')
  },
})
