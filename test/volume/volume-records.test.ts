import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { VolumeRecords } from '../../src/volume/volume-records.ts'

const OPTIONS = parseVolumeOptions({ 'label.team': 'blue', mode: '0750' })

describe('VolumeRecords', () => {
  const temp = useTempDir(() => SHARED_MEMORY)
  const directory = (): string => join(temp.path, 'records')
  const open = (): VolumeRecords =>
    new VolumeRecords({
      store: 'default',
      directory: directory(),
      mountpoint: (name) => join(temp.path, 'files', name),
    })

  it('tell from one run to the next what volumes were created with', async () => {
    const created = await open().create('db', OPTIONS, make)
    expect(created.options).to.deep.equal(OPTIONS)
    expect(created.mountpoint).to.equal(join(temp.path, 'files', 'db'))
    expect(await open().get('db')).to.deep.equal(created)
    const { volumes, problems } = await open().list()
    expect([volumes, problems]).to.deep.equal([[created], []])
  })

  it('make nothing where there is a volume of that name', async () => {
    const records = open()
    let count = 0
    const creating = ['a', 'b'].map(() =>
      records.create('db', OPTIONS, async () => void count++),
    )
    const outcomes = await Promise.allSettled(creating)
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'rejected',
    ])
    const third = records.create('db', OPTIONS, async () => void count++)
    await expectRejection(third, VolumeExistsError)
    expect(count).to.equal(1)
  })

  it('know nothing of a volume that could not be made', async () => {
    const records = open()
    const failing = records.create('db', OPTIONS, async () => {
      throw new Error('no room')
    })
    await expectRejection(failing, Error, /no room/)
    await expectRejection(records.get('db'), VolumeNotFoundError)
    expect((await records.list()).volumes).to.deep.equal([])
  })

  it('show no volume that is being removed', async () => {
    const records = open()
    await records.create('db', OPTIONS, make)
    await records.remove('db', async (path) => {
      await expectRejection(open().get('db'), VolumeNotFoundError)
      expect((await open().list()).volumes).to.deep.equal([])
      await destroy(path)
    })
    expect(await fs.readdir(directory())).to.deep.equal([])
    await expectRejection(records.remove('db', destroy), VolumeNotFoundError)
  })

  it('still have a volume that could not be removed', async () => {
    const records = open()
    const created = await records.create('db', OPTIONS, make)
    const failing = records.remove('db', async () => {
      throw new Error('the remote is away')
    })
    await expectRejection(failing, Error, /away/)
    expect(await records.get('db')).to.deep.equal(created)
  })

  it('take a volume again whose removal a crash cut off', async () => {
    const records = open()
    await records.create('db', OPTIONS, make)
    const died = new Promise<void>(() => undefined)
    const dying = new Promise<void>((resolve) => {
      void records.remove('db', async () => {
        resolve()
        await died
      })
    })
    await dying
    const next = open()
    await next.create('db', OPTIONS, make)
    await next.remove('db', destroy)
    expect(await fs.readdir(directory())).to.deep.equal([])
  })

  it('report a record that cannot be read, and keep its name taken', async () => {
    const records = open()
    await records.create('db', OPTIONS, make)
    await records.create('web', OPTIONS, make)
    await fs.writeFile(join(directory(), 'db', 'volume.json'), '{')
    const { volumes, problems } = await records.list()
    expect(volumes.map(({ name }) => name)).to.deep.equal(['web'])
    expect(problems).to.have.length(1)
    expect(problems[0]).to.have.property('name', 'db')
    const creating = records.create('db', OPTIONS, make)
    await expectRejection(creating, VolumeExistsError)
  })

  it('are not empty when their directory is away', async () => {
    const records = open()
    await fs.rename(directory(), join(temp.path, 'away'))
    await expectRejection(records.list(), Error, /ENOENT/)
  })
})

async function make(path: string): Promise<void> {
  await fs.mkdir(path, { recursive: true })
}

async function destroy(path: string): Promise<void> {
  await fs.rm(path, { recursive: true })
}
