import { join } from 'node:path'
import { expect } from 'chai'
import { notify } from '../../src/linux/notify.ts'
import { DatagramReceiver } from '../support/datagram-receiver.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('notify', () => {
  const directory = useTempDir()

  it('tells whoever listens at a path', () => {
    const path = join(directory.path, 'notify')
    using systemd = new DatagramReceiver(path)
    notify('READY=1', { NOTIFY_SOCKET: path })
    expect(systemd.receive()).to.equal('READY=1')
  })

  it('tells whoever listens under an abstract name', () => {
    const name = `stowage-test-${process.pid}`
    using systemd = new DatagramReceiver(`\0${name}`)
    notify('STOPPING=1', { NOTIFY_SOCKET: `@${name}` })
    expect(systemd.receive()).to.equal('STOPPING=1')
  })

  it('tells nobody where nobody asked', () => {
    notify('READY=1', {})
    notify('READY=1', { NOTIFY_SOCKET: '' })
  })

  it('says so when nobody listens any more', () => {
    const path = join(directory.path, 'absent')
    expect(() => notify('READY=1', { NOTIFY_SOCKET: path })).to.throw(/ENOENT/)
  })
})
