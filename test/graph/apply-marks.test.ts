import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts'
import { ApplyMarks } from '../../src/graph/apply-marks.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { withFault } from '../support/fault-injection.ts'

describe('ApplyMarks', () => {
  const directory = useTempDir()

  it('runs one apply of a layer, also over a restart', async () => {
    const marks = await ApplyMarks.open(directory.path)
    expect(await marks.run('a', async () => 42)).to.equal(42)
    marks.check('a')
    for (const later of [marks, await ApplyMarks.open(directory.path)]) {
      await expectRejection(
        later.run('a', async () => 43),
        InvalidArgumentError,
        /"a" was applied to before/,
      )
    }
  })

  it('condemns a layer whose apply failed, until it is forgotten', async () => {
    const marks = await ApplyMarks.open(directory.path)
    const failing = marks.run('a', () => Promise.reject(new Error('no')))
    await expectRejection(failing, Error, /no/)
    for (const later of [marks, await ApplyMarks.open(directory.path)]) {
      expect(later.isUnfinished('a')).to.equal(true)
      expect(() => later.check('a')).to.throw(
        NotFoundError,
        /"a" is incomplete/,
      )
    }
    await marks.forget('a')
    const last = await ApplyMarks.open(directory.path)
    last.check('a')
    expect(await last.run('a', async () => 1)).to.equal(1)
  })

  it('condemns a layer whose apply a crash cut short', async () => {
    const marks = await ApplyMarks.open(directory.path)
    await marks.run('a', async () => {
      const other = await ApplyMarks.open(directory.path)
      expect(other.isUnfinished('a')).to.equal(true)
    })
    expect(marks.isUnfinished('a')).to.equal(false)
  })

  it('forgets layers that are no more', async () => {
    const marks = await ApplyMarks.open(directory.path)
    for (const id of ['here', 'gone']) await marks.run(id, async () => 1)
    await marks.forgetUnless(async (id) => id === 'here')
    const later = await ApplyMarks.open(directory.path)
    expect(await later.run('gone', async () => 2)).to.equal(2)
    await expectRejection(
      later.run('here', async () => 2),
      InvalidArgumentError,
    )
  })

  it('condemns a layer that may not have been on disk when the power went', async () => {
    const marks = await ApplyMarks.open(directory.path)
    for (const id of ['old', 'fresh']) await marks.run(id, async () => 1)
    await marks.settle()
    await marks.forget('fresh')
    await marks.run('fresh', async () => 1)
    const [now = ''] = (await fs.readdir(directory.path)).filter((name) =>
      name.startsWith('fresh-'),
    )
    const path = join(directory.path, now)
    await fs.rename(path, join(directory.path, 'fresh-of-another-boot'))

    const later = await ApplyMarks.open(directory.path)
    later.check('old')
    expect(() => later.check('fresh')).to.throw(NotFoundError, /the machine/)
  })

  describe('of layers whose marks cannot be put on disk', () => {
    needs('root', 'strace')

    it('are not settled until they can', async () => {
      const marks = await ApplyMarks.open(directory.path)
      const applied = await fs.realpath(join(directory.path, 'applied'))
      const fault = { call: 'fsync', fate: 'error=EIO', paths: [applied] }
      await withFault(process.pid, fault, async () => {
        await marks.run('a', async () => 1)
        for (const _attempt of ['first', 'second']) {
          await expectRejection(marks.settle(), Error, /EIO/)
        }
      })
      await marks.settle()
      await withFault(process.pid, fault, () => marks.settle())
    })
  })
})
