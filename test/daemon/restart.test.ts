import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useDaemons } from '../support/daemon-process.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'

describe('A daemon that is killed and started again', () => {
  needs('root')
  const place = useDaemons()
  const home = () => join(place.path, 'home')
  const init = () => ({
    Home: home(),
    Opts: ['stowage.driver=vfs'],
    UIDMaps: null,
    GIDMaps: null,
  })

  it('answers for its volumes without being activated', async () => {
    const first = await place.start()
    await first.docker.call('VolumeDriver.Create', { Name: 'vol1', Opts: null })
    const mount = { Name: 'vol1', ID: 'a'.repeat(64) }
    const { Mountpoint } = await first.docker.call('VolumeDriver.Mount', mount)
    await fs.writeFile(join(String(Mountpoint), 'file'), 'data')
    const before = await first.docker.call('VolumeDriver.Get', { Name: 'vol1' })
    await first.stop('SIGKILL')

    const second = place.spawn()
    const after = await insist(() =>
      second.docker.call('VolumeDriver.Get', { Name: 'vol1' }),
    )
    expect(after).to.deep.equal(before)
    await second.docker.call('VolumeDriver.Unmount', mount)
    await second.docker.call('VolumeDriver.Remove', { Name: 'vol1' })
  })

  it('answers for its layers without another Init', async () => {
    const first = await place.start()
    await first.docker.call('GraphDriver.Init', init())
    await first.docker.call('GraphDriver.Create', { ID: 'base' })
    const tar = forgeTar({ name: 'file', content: 'data' })
    await first.docker.applyDiff('base', '', tar)
    const { Dir } = await first.docker.call('GraphDriver.Get', { ID: 'base' })
    await first.stop('SIGKILL')

    const second = place.spawn()
    const again = await insist(() =>
      second.docker.call('GraphDriver.Get', { ID: 'base' }),
    )
    expect(again).to.deep.equal({ Dir })
    expect(await fs.readFile(join(String(Dir), 'file'), 'utf8')).to.equal(
      'data',
    )
    await second.docker.call('GraphDriver.Put', { ID: 'base' })
    await second.docker.call('GraphDriver.Put', { ID: 'base' })
    await second.docker.call('GraphDriver.Init', init())
    await second.docker.call('GraphDriver.Remove', { ID: 'base' })
  })

  it('never calls a volume absent while it starts', async () => {
    const first = await place.start()
    await first.docker.call('VolumeDriver.Create', { Name: 'vol1', Opts: null })
    await first.stop('SIGKILL')

    for (let round = 0; round < 3; round++) {
      const daemon = place.spawn()
      let answers = 0
      while (answers < 5) {
        const asked = daemon.docker.call('VolumeDriver.Get', { Name: 'vol1' })
        const answer = await asked.catch(() => undefined)
        if (answer === undefined) continue
        expect(answer.Volume).to.be.an('object')
        answers++
      }
      await daemon.stop('SIGKILL')
    }
  })
})

/** What `call` answers as soon as anybody does. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }
}
