import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { type Log, SILENT } from '../../src/base/log.ts'
import { NO_PARENT } from '../../src/graph/driver.ts'
import { NaiveDiffDriver } from '../../src/graph/naive-diff.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { PlainDriver } from '../support/plain-driver.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, file, socket } from '../../src/conformance/tree.ts'

describe('NaiveDiffDriver over a driver of somebody else', () => {
  const temp = useTempDir()
  let plain: PlainDriver
  let driver: NaiveDiffDriver
  let warnings: unknown[]

  async function open(): Promise<void> {
    plain = new PlainDriver(join(temp.path, 'layers'))
    warnings = []
    const log: Log = { ...SILENT, warn: (...line) => warnings.push(line) }
    const marks = join(temp.path, 'marks')
    driver = await NaiveDiffDriver.open(plain, { marks, log })
  }

  beforeEach(async () => {
    await fs.mkdir(join(temp.path, 'layers'))
    await open()
    await driver.create('base', NO_PARENT)
    await build(join(temp.path, 'layers/base'), file('old', 'old'))
    await driver.create('upper', 'base')
    await build(
      join(temp.path, 'layers/upper'),
      file('new', Buffer.alloc(5_000_000)),
    )
  })

  it('holds both layers while their changes are read, and no longer', async () => {
    const tar = await driver.diff('upper', 'base')
    expect([...plain.held.keys()].toSorted()).to.deep.equal(['base', 'upper'])
    await buffer(tar)
    expect([...plain.held]).to.deep.equal([])
    for await (const { path } of driver.changes('upper', 'base')) {
      expect(path.toString()).to.equal('/new')
    }
    expect(await driver.diffSize('upper', 'base')).to.equal(5_000_000)
    expect([...plain.held]).to.deep.equal([])
  })

  it('lets go when the reader of a tar or of changes walks away', async () => {
    const tar = await driver.diff('upper', NO_PARENT)
    const ended = finished(tar).catch(() => undefined)
    tar.destroy()
    await ended
    for await (const _change of driver.changes('upper', NO_PARENT)) break
    await driver.diffSize('upper', NO_PARENT)
    expect([...plain.held]).to.deep.equal([])
  })

  it('lets go of one layer where the other is missing', async () => {
    await expectRejection(driver.diff('upper', 'absent'), NotFoundError)
    expect([...plain.held]).to.deep.equal([])
  })

  it('applies a tar once, and remembers that it failed', async () => {
    await driver.create('next', 'base')
    await driver.applyDiff(
      'next',
      'base',
      Readable.from([forgeTar({ name: 'x', content: 'y' })]),
    )
    await driver.create('bad', 'base')
    await expectRejection(
      driver.applyDiff('bad', 'base', Readable.from([Buffer.alloc(700, 'z')])),
      Error,
    )
    expect([...plain.held]).to.deep.equal([])
    await open()
    expect(await driver.exists('next')).to.equal(true)
    expect(await driver.exists('bad')).to.equal(false)
    await driver.remove('bad')
    await driver.create('bad', 'base')
    expect(await driver.exists('bad')).to.equal(true)
  })

  it('says in the log what no tar can hold', async () => {
    await build(join(temp.path, 'layers/upper'), socket('listening'))
    await buffer(await driver.diff('upper', 'base'))
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.deep.include('Left out of a layer tar')
  })
})
