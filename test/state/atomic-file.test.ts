import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { sweepDrafts, writeFileAtomic } from '../../src/state/atomic-file.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('writeFileAtomic', () => {
  const home = useTempDir()

  it('creates a file with its mode, and replaces it whole', async () => {
    const path = join(home.path, 'record')
    await writeFileAtomic(path, 'first, and longer')
    await writeFileAtomic(path, 'second', { mode: 0o640 })
    expect(await fs.readFile(path, 'utf8')).to.equal('second')
    expect((await fs.stat(path)).mode & 0o777).to.equal(0o640)
    expect(await fs.readdir(home.path)).to.deep.equal(['record'])
  })

  it('never shows a reader anything but a whole file', async () => {
    const path = join(home.path, 'record')
    const contents = ['a'.repeat(100_000), 'b'.repeat(100_000)]
    await writeFileAtomic(path, contents[0]!)
    const written = new AbortController()
    const reading = (async () => {
      while (!written.signal.aborted) {
        expect(contents).to.include(await fs.readFile(path, 'utf8'))
      }
    })()
    for (let round = 0; round < 50; round++) {
      await writeFileAtomic(path, contents[round % 2]!, { durable: false })
    }
    written.abort()
    await reading
  })

  it('leaves nothing behind when it fails', async () => {
    const path = join(home.path, 'directory')
    await fs.mkdir(path)
    await expectRejection(writeFileAtomic(path, 'content'), Error, /EISDIR/)
    expect(await fs.readdir(home.path)).to.deep.equal(['directory'])
  })

  it('makes its draft where its owner sweeps, if that is elsewhere', async () => {
    const path = join(home.path, 'file')
    await writeFileAtomic(path, 'first', { drafts: home.path })
    const drafts = join(home.path, 'absent')
    await expectRejection(
      writeFileAtomic(path, 'second', { drafts }),
      Error,
      /ENOENT.*absent\/new-/,
    )
    expect(await fs.readFile(path, 'utf8')).to.equal('first')
  })
})

describe('sweepDrafts', () => {
  const home = useTempDir()

  it('deletes what a crash has left of a file in the making, and nothing else', async () => {
    for (const name of ['record', 'new-1-record', 'renew-1', 'new-2-record']) {
      await fs.writeFile(join(home.path, name), '')
    }
    await fs.mkdir(join(home.path, 'new-directory'))
    await sweepDrafts(home.path)
    expect(await fs.readdir(home.path)).to.have.members([
      'record',
      'renew-1',
      'new-directory',
    ])
  })
})
