import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { NotSupportedError } from '../../src/base/errors.ts'
import { settleFormat } from '../../src/state/disk-format.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('settleFormat', () => {
  const directory = useTempDir()
  const path = (): string => join(directory.path, 'format')

  it('marks what is new, and knows it again', async () => {
    const format = { kind: 'local', edition: 2 }
    expect(await settleFormat(path(), format)).to.deep.equal(format)
    expect(await fs.readFile(path(), 'utf8')).to.equal('local 2\n')
    expect(await settleFormat(path(), format)).to.deep.equal(format)
  })

  it('tells an older edition, and leaves it to be migrated', async () => {
    await fs.writeFile(path(), 'local 1\n')
    expect(
      await settleFormat(path(), { kind: 'local', edition: 2 }),
    ).to.deep.equal({ kind: 'local', edition: 1 })
    expect(await fs.readFile(path(), 'utf8')).to.equal('local 1\n')
  })

  for (const [text, message] of [
    ['local 3\n', /edition 3.*use a newer one/],
    ['btrfs 1\n', /"btrfs", and "local" is needed/],
    ['local 1', /should name a format/],
    ['', /should name a format/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)} and leaves it as it is`, async () => {
      await fs.writeFile(path(), text)
      const settling = settleFormat(path(), { kind: 'local', edition: 2 })
      await expectRejection(settling, NotSupportedError, message)
      expect(await fs.readFile(path(), 'utf8')).to.equal(text)
    })
  }
})
