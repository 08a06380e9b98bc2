import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Draft, placeVolumes } from '../../src/volume/place-volumes.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { withFault } from '../support/fault-injection.ts'

describe('placeVolumes', () => {
  const home = useTempDir()
  const volumes = (): string => join(home.path, 'volumes')
  beforeEach(() => fs.mkdir(volumes()))
  const draft = (name: string, rest: Partial<Draft> = {}): Draft => ({
    name,
    directory: join(home.path, `new-${name}`),
    data: 'to be made',
    options: parseVolumeOptions({}),
    record: `${name}\n`,
    ...rest,
  })

  it('makes volumes with a record and an empty directory for their files', async () => {
    const failures = placeVolumes(volumes(), [draft('a'), draft('b')])
    expect(failures).to.deep.equal([undefined, undefined])
    expect(await fs.readdir(volumes())).to.have.members(['a', 'b'])
    for (const name of ['a', 'b']) {
      const record = join(volumes(), name, 'volume.json')
      expect(await fs.readFile(record, 'utf8')).to.equal(`${name}\n`)
      expect(await fs.readdir(join(volumes(), name, 'data'))).to.be.empty
    }
    expect(await fs.readdir(home.path)).to.deep.equal(['volumes'])
  })

  it('fails for one, and not for those that come with it', async () => {
    const taken = draft('a')
    placeVolumes(volumes(), [taken])
    const failures = placeVolumes(volumes(), [
      draft('b'),
      taken,
      draft('c', { directory: join(home.path, 'absent/new-c') }),
      draft('d'),
    ])
    expect(failures[0]).to.equal(undefined)
    expect(failures[1]?.fields).to.include({ code: 'ENOTEMPTY' })
    expect(failures[2]?.fields).to.include({ code: 'ENOENT' })
    expect(failures[3]).to.equal(undefined)
    expect(await fs.readdir(volumes())).to.have.members(['a', 'b', 'd'])
  })

  it('adds what is missing to files that were made already, and makes none for those of others', async () => {
    const made = draft('made', {
      data: 'made',
      options: parseVolumeOptions({ ro: '' }),
    })
    await fs.mkdir(join(made.directory, 'data/kept'), { recursive: true })
    placeVolumes(volumes(), [made, draft('theirs', { data: 'elsewhere' })])
    const inside = (name: string) => fs.readdir(join(volumes(), name))
    expect(await inside('made')).to.have.members([
      'data',
      'view',
      'volume.json',
      'volume.json.copy',
    ])
    expect(await inside('theirs')).to.have.members([
      'volume.json',
      'volume.json.copy',
    ])
  })

  describe('whose places cannot be put on disk', () => {
    needs('root', 'strace')

    it('leaves nothing in place, also where the last had failed before', async () => {
      const taken = draft('taken')
      placeVolumes(volumes(), [taken])
      const fault = {
        call: 'fsync',
        fate: 'error=EIO',
        paths: [await fs.realpath(volumes())],
      }
      const failures = await withFault(process.pid, fault, async () =>
        placeVolumes(volumes(), [draft('a'), draft('b'), taken]),
      )
      for (const failure of failures.slice(0, 2)) {
        expect(failure?.fields).to.include({ code: 'EIO' })
      }
      expect(failures[2]?.fields).to.include({ code: 'ENOTEMPTY' })
      expect(await fs.readdir(volumes())).to.deep.equal(['taken'])
      for (const name of ['a', 'b']) {
        const record = join(draft(name).directory, 'volume.json')
        expect(await fs.readFile(record, 'utf8')).to.equal(`${name}\n`)
      }
    })
  })
})
