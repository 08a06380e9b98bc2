import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useDaemons } from '../support/daemon-process.ts'
import { DatagramReceiver } from '../support/datagram-receiver.ts'
import { until } from '../support/until.ts'

describe('A daemon under systemd', () => {
  const place = useDaemons()

  it('says when it is ready, and when it is about to stop', async () => {
    const path = join(place.path, 'notify')
    using systemd = new DatagramReceiver(path)
    const daemon = await place.start({ settings: { NOTIFY_SOCKET: path } })
    expect(systemd.receive()).to.equal('READY=1')
    await daemon.stop()
    expect(systemd.receive()).to.equal('STOPPING=1')
  })

  it('starts all the same when nobody wants to know', async () => {
    const settings = { NOTIFY_SOCKET: join(place.path, 'absent') }
    const daemon = await place.start({ settings })
    await daemon.logged('Cannot notify whoever started this')
  })

  it('says twice in each span of the watchdog that it is alive', async () => {
    const path = join(place.path, 'notify')
    using systemd = new DatagramReceiver(path)
    const settings = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '200000' }
    await place.start({ settings })
    expect(systemd.receive()).to.equal('READY=1')
    for (let span = 0; span < 2; span++) {
      await until(() => systemd.isTold)
      expect(systemd.receive()).to.equal('WATCHDOG=1')
    }
  })

  it('leaves alone a watchdog that is set on somebody else', async () => {
    const path = join(place.path, 'notify')
    using systemd = new DatagramReceiver(path)
    const watchdog = { WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' }
    await place.start({ settings: { NOTIFY_SOCKET: path, ...watchdog } })
    await sleep(200)
    expect(systemd.receive()).to.equal('READY=1')
    expect(() => systemd.receive()).to.throw(/EAGAIN/)
  })

  describe('that is started by the first call', () => {
    needs('systemd-socket-activate')

    it('answers that very call', async () => {
      await fs.mkdir(join(place.path, 'run'))
      const daemon = place.spawn({
        through: [
          'systemd-socket-activate',
          `--listen=${place.socketPath}`,
          '--fdname=plugin',
          `--setenv=STOWAGE_DATA_ROOT=${place.dataRoot}`,
        ],
      })
      await until(() => isListenedAt(place.socketPath))
      expect(await daemon.docker.call('VolumeDriver.List', {})).to.deep.equal({
        Volumes: [],
      })
      expect(await daemon.stop()).to.include({ code: 0 })
      expect(await exists(place.socketPath)).to.equal(true)
    })
  })
})

/** A socket is there before anybody listens at it. */
async function isListenedAt(path: string): Promise<boolean> {
  const sockets = await fs.readFile('/proc/net/unix', 'utf8')
  const LISTENING = '00010000'
  return sockets
    .split('\n')
    .some((line) => line.includes(LISTENING) && line.endsWith(` ${path}`))
}

async function exists(path: string): Promise<boolean> {
  const stats = await fs.stat(path).catch(() => undefined)
  return stats !== undefined
}
