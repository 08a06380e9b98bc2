import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'
import { useDaemons } from '../support/daemon-process.ts'

describe('The log of the daemon', () => {
  const place = useDaemons()
  const refused = { Name: '../etc', Opts: null }

  it('names one request on all of its lines, and never another', async () => {
    const settings = { STOWAGE_LOG_LEVEL: 'debug' }
    const daemon = await place.start({ settings })
    for (let i = 0; i < 3; i++) {
      await daemon.docker.post('VolumeDriver.Create', refused)
    }
    await sleep(50)
    const ids = new Map<unknown, string[]>()
    for (const { request, message } of daemon.log) {
      if (request === undefined) continue
      ids.set(request, [...(ids.get(request) ?? []), String(message)])
    }
    const lines = [...ids.values()].filter((one) => one.length > 1)
    expect(lines).to.deep.equal(
      Array.from({ length: 3 }, () => ['Request refused', 'Request ended']),
    )
  })

  it('tells every request with its outcome when it is at debug', async () => {
    const settings = { STOWAGE_LOG_LEVEL: 'debug' }
    const daemon = await place.start({ settings })
    await daemon.docker.call('VolumeDriver.List', {})
    const line = await daemon.logged('Request ended')
    expect(line).to.include({ level: 'debug', status: 200, whole: true })
    expect(line.milliseconds).to.be.a('number')
  })

  it('goes to debug and back on SIGUSR2, while requests run', async () => {
    const daemon = await place.start()
    await daemon.docker.call('VolumeDriver.List', {})
    expect(daemon.log.filter(({ level }) => level === 'debug')).to.be.empty

    daemon.kill('SIGUSR2')
    expect(await daemon.logged('Log level changed')).to.include({
      level: 'info',
    })
    await daemon.docker.call('VolumeDriver.List', {})
    await daemon.logged('Request ended')

    daemon.kill('SIGUSR2')
    while (daemon.log.filter(isLevelChange).length < 2) await sleep(5)
    const before = daemon.log.length
    await daemon.docker.call('VolumeDriver.List', {})
    await sleep(50)
    expect(daemon.log).to.have.length(before)
  })

  it('says what was refused and why, without being asked', async () => {
    const daemon = await place.start()
    await daemon.docker.post('VolumeDriver.Create', refused)
    const line = await daemon.logged('Request refused')
    expect(line).to.include({
      level: 'info',
      method: 'VolumeDriver.Create',
    })
    expect(line).to.have.nested.property('error.name', 'InvalidArgumentError')
  })

  for (const how of ['pause', 'destroy'] as const) {
    it(`is no reason to stop when its reader is at ${how}`, async () => {
      const settings = { STOWAGE_LOG_LEVEL: 'debug' }
      const daemon = await place.start({ settings })
      daemon.stopReading(how)
      // Far more than a pipe holds.
      const method = `VolumeDriver.${'x'.repeat(8000)}`
      for (let i = 0; i < 200; i++) await daemon.docker.post(method)
      await daemon.docker.call('VolumeDriver.List', {})
    })
  }

  it('is text where that is wanted', async () => {
    const daemon = place.spawn({ settings: { STOWAGE_LOG_FORMAT: 'text' } })
    await daemon.ready()
    const { stdout } = await daemon.stop()
    expect(stdout).to.match(/^\S+Z info Serving version="/m)
  })
})

function isLevelChange({ message }: Readonly<Record<string, unknown>>) {
  return message === 'Log level changed'
}
