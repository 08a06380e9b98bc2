import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  isMountpoint,
  parseMountInfo,
  readMountInfo,
} from '../../src/linux/mountinfo.ts'

describe('parseMountInfo', () => {
  it('reads a line of proc(5), with its optional fields', () => {
    const line =
      '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue'
    expect(parseMountInfo(`${line}\n`)).to.deep.equal([
      {
        id: 36,
        parent: 35,
        device: '98:0',
        root: '/mnt1',
        mountpoint: '/mnt2',
        options: ['rw', 'noatime'],
        type: 'ext3',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
    ])
  })

  it('reads back any path that the kernel escapes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\/[ \t\n\\a-z]*$/), (path) => {
        const escaped = path.replaceAll(
          /[ \t\n\\]/g,
          (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
        )
        const line = `1 0 0:1 / ${escaped} rw - tmpfs none rw`
        expect(parseMountInfo(line)[0]?.mountpoint).to.equal(path)
      }),
    )
  })
})

describe('readMountInfo', () => {
  it('lists the root', async () => {
    const roots = (await readMountInfo()).map(({ mountpoint }) => mountpoint)
    expect(roots).to.include('/')
    expect(await isMountpoint('/proc')).to.equal(true)
    expect(await isMountpoint('/proc/self')).to.equal(false)
  })
})
