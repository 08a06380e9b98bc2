import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { runStep } from '../../src/graph/step.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, portray } from '../../src/conformance/tree.ts'

describe('runStep', () => {
  needs('root')
  const temp = useTempDir()
  const at = (name: string): string => join(temp.path, name)

  it('makes a directory with its mode and owner', async () => {
    runStep({ do: 'mkdir', path: at('a'), mode: 0o1710, uid: 3, gid: 4 })
    const { a } = await portray(temp.path)
    expect(a).to.include({ mode: '1710', owner: '3:4' })
  })

  it('makes the directories of a blank, the outermost first', async () => {
    runStep({
      do: 'blank',
      path: at('a'),
      directories: [
        { do: 'mkdir', path: at('a'), mode: 0o710, uid: 0, gid: 5 },
        { do: 'mkdir', path: at('a/b'), mode: 0o700 },
      ],
    })
    const { a, 'a/b': b } = await portray(temp.path)
    expect(a).to.include({ mode: '710', owner: '0:5' })
    expect(b).to.include({ mode: '700', owner: '0:0' })
  })

  it('makes a directory like another, but for what overlay notes there', async () => {
    await build(
      temp.path,
      directory('model', {
        mode: 0o2750,
        uid: 1,
        gid: 2,
        mtime: 12_345n,
        xattrs: { 'user.colour': 'green', 'trusted.overlay.origin': 'x' },
      }),
      file('model/inside'),
      directory('model', { mode: 0o2750, mtime: 12_345n }),
    )
    runStep({ do: 'mkdir', path: at('copy'), mode: 0o755, uid: 7, gid: 8 })
    runStep({ do: 'liken', path: at('copy'), model: at('model') })
    const { copy, model } = await portray(temp.path)
    expect(copy).to.deep.equal({ ...model, xattrs: { 'user.colour': 'green' } })
    expect(await fs.readdir(at('copy'))).to.deep.equal([])
  })

  it('makes a link, or finds it made', async () => {
    const link = { do: 'symlink', path: at('l'), target: 'there' } as const
    runStep(link)
    runStep(link)
    expect(await fs.readlink(at('l'))).to.equal('there')
    expect(() => runStep({ ...link, target: 'elsewhere' })).to.throw(/EEXIST/)
  })

  it('marks, renames and unlinks', async () => {
    runStep({ do: 'mark', path: at('mark') })
    runStep({ do: 'mark', path: at('mark') })
    runStep({ do: 'rename', from: at('mark'), to: at('renamed') })
    expect(await fs.readdir(temp.path)).to.deep.equal(['renamed'])
    runStep({ do: 'unlink', path: at('renamed') })
    runStep({ do: 'unlink', path: at('renamed') })
    expect(await fs.readdir(temp.path)).to.deep.equal([])
  })
})
