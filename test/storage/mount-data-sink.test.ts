import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { InUseError, InvalidArgumentError } from '../../src/base/errors.ts'
import { MountDataSink } from '../../src/storage/mount-data-sink.ts'
import { importOnce } from '../../src/storage/single-use.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('MountDataSink', () => {
  needs('root')
  const root = useTempDir()
  let letGoes: number

  beforeEach(() => {
    letGoes = 0
  })

  const open = (): MountDataSink =>
    new MountDataSink(root.path, {
      letGo: async () => {
        letGoes++
      },
    })

  it('imports once, and refuses to do it again', async () => {
    const sink = open()
    const result = await sink.import(tar())
    expect(result).to.deep.equal({ entries: 1, bytes: 4, skipped: [] })
    expect(await fs.readFile(join(root.path, 'f'), 'utf8')).to.equal('text')
    await expectRejection(sink.import(tar()), InUseError, /open another/)
    await sink.close()
  })

  it('lets go once, after what it imports, however often it is closed', async () => {
    const sink = open()
    const importing = sink.import(tar())
    await Promise.all([sink.close(), sink.close()])
    expect(await fs.readdir(root.path)).to.deep.equal(['f'])
    await importing
    expect(letGoes).to.equal(1)
    await expectRejection(sink.import(tar()), InUseError)
  })

  it('lets go when an import fails', async () => {
    const text = Readable.from([Buffer.from('no tar'.repeat(100))])
    await expectRejection(importOnce(open(), text), InvalidArgumentError)
    expect(letGoes).to.equal(1)
  })

  it('passes on the filter and the signal', async () => {
    const filter = { rebase: 'new' }
    await importOnce(open(), tar(), { filter })
    expect(await fs.readdir(root.path)).to.deep.equal(['new'])
    const signal = AbortSignal.abort()
    const error = await expectRejection(
      importOnce(open(), tar(), { signal }),
      Error,
    )
    expect(error.name).to.equal('AbortError')
  })
})

function tar(): Readable {
  return Readable.from([forgeTar({ name: 'f', content: 'text' })])
}
