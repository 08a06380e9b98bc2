import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { AlreadyExistsError } from '../../src/base/errors.ts'
import { writeWholeFile } from '../../src/cli/whole-file.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('A whole file', () => {
  const directory = useTempDir()

  it('has all that came, and is for its owner alone', async () => {
    await write(Readable.from(['some', 'thing']))
    expect(await fs.readFile(path(), 'utf8')).to.equal('something')
    expect((await fs.stat(path())).mode & 0o777).to.equal(0o600)
    expect(await fs.readdir(directory.path)).to.deep.equal(['file'])
  })

  it('is not there at all where the bytes fail', async () => {
    const failing = Readable.from(
      (async function* () {
        yield 'some'
        throw new Error('cut off')
      })(),
    )
    await expectRejection(write(failing), Error)
    expect(await fs.readdir(directory.path)).to.deep.equal([])
  })

  it('takes no other file’s place unless asked to', async () => {
    await fs.writeFile(path(), 'mine')
    await expectRejection(write(Readable.from(['new'])), AlreadyExistsError)
    expect(await fs.readFile(path(), 'utf8')).to.equal('mine')
    expect(await fs.readdir(directory.path)).to.deep.equal(['file'])

    await write(Readable.from(['new']), true)
    expect(await fs.readFile(path(), 'utf8')).to.equal('new')
  })

  function path(): string {
    return join(directory.path, 'file')
  }

  function write(bytes: Readable, replaces = false): Promise<void> {
    return writeWholeFile(path(), bytes, { replaces })
  }
})
