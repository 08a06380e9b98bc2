import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isDifferent, NEVER } from '../../src/archive/difference.ts'
import type { Found } from '../../src/archive/lower-view.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  device,
  directory,
  file,
  type Step,
  symlink,
} from '../../src/conformance/tree.ts'
import { Directory } from '../../src/linux/directory.ts'

const SAME_TIME = { mtime: 1_600_000_000_123_456_789n }
const CAPABLE = '0100000200040000000000000000000000000000'

describe('What is now differs from what was', () => {
  needs('root')
  const home = useTempDir()
  const opened: Directory[] = []

  afterEach(() => {
    for (const each of opened.splice(0)) each.close()
  })

  async function differs(was: Step, now: Step): Promise<boolean> {
    const [before, after] = [await found('was', was), await found('now', now)]
    return isDifferent(after, before, NEVER)
  }

  async function found(name: string, step: Step): Promise<Found> {
    const root = join(home.path, name)
    await build(home.path, directory(name))
    await build(root, step)
    const opening = Directory.open(root)
    opened.push(opening)
    return { directory: opening, name: 'x', status: opening.status('x')! }
  }

  const A = file('x', 'abc', SAME_TIME)
  for (const [what, was, now] of [
    ['the mode', A, file('x', 'abc', { ...SAME_TIME, mode: 0o600 })],
    ['the owner', A, file('x', 'abc', { ...SAME_TIME, uid: 7 })],
    ['the group', A, file('x', 'abc', { ...SAME_TIME, gid: 7 })],
    ['the size', A, file('x', 'abcd', SAME_TIME)],
    ['the time', A, file('x', 'abc', { mtime: 1_600_000_000_123_456_790n })],
    ['the bytes, size and time being equal', A, file('x', 'abd', SAME_TIME)],
    ['the type', A, directory('x', SAME_TIME)],
    [
      'the target of a link',
      symlink('x', 'abc', SAME_TIME),
      symlink('x', 'abd', SAME_TIME),
    ],
    [
      'the number of a device',
      device('x', 'character', { major: 1, minor: 3 }, SAME_TIME),
      device('x', 'character', { major: 1, minor: 5 }, SAME_TIME),
    ],
    [
      'the capability',
      A,
      file('x', 'abc', {
        ...SAME_TIME,
        xattrs: { 'security.capability': Buffer.from(CAPABLE, 'hex') },
      }),
    ],
  ] as const) {
    it(`in ${what}`, async () => {
      expect(await differs(was, now)).to.equal(true)
    })
  }

  for (const [what, was, now] of [
    ['another copy of it', A, A],
    [
      'a copy whose time has no nanoseconds',
      A,
      file('x', 'abc', { mtime: 1_600_000_000n * 1_000_000_000n }),
    ],
    [
      'a copy without an xattr that layers do not carry',
      A,
      file('x', 'abc', { ...SAME_TIME, xattrs: { 'user.x': 'y' } }),
    ],
    [
      'a directory with another time',
      directory('x', SAME_TIME),
      directory('x', { mtime: 5 }),
    ],
  ] as const) {
    it(`not as ${what}`, async () => {
      expect(await differs(was, now)).to.equal(false)
    })
  }

  it('not in what the clock says was untouched since the copy', async () => {
    const was = await found('was', file('x', 'abc', SAME_TIME))
    const now = await found('now', file('x', 'abd', SAME_TIME))
    const { changedSeconds, changedNanoseconds } = now.status
    const later = { changedSeconds: changedSeconds + 1, changedNanoseconds }
    expect(isDifferent(now, was, later)).to.equal(false)
    const then = { changedSeconds, changedNanoseconds }
    expect(isDifferent(now, was, then)).to.equal(true)
  })

  it('not in the same inode, whatever its name', async () => {
    const was = await found('was', A)
    await fs.link(join(home.path, 'was', 'x'), join(home.path, 'was', 'y'))
    const status = was.directory.status('x')!
    const [one, other] = ['x', 'y'].map((name) => ({ ...was, name, status }))
    expect(isDifferent(one!, other!, NEVER)).to.equal(false)
  })
})
