import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { SETTINGS } from '../src/config.ts'
import { needs } from '../src/conformance/capabilities.ts'
import { useTempDir } from '../src/conformance/temp-dir.ts'

const run = promisify(execFile)
const SERVICE = 'plugin/systemd/stowage.service'
const SOCKET = 'plugin/systemd/stowage.socket'
const ADMIN_SOCKET = 'plugin/systemd/stowage-admin.socket'
const DROP_IN = 'plugin/systemd/docker.service.d/stowage.conf'

describe('The systemd units', () => {
  it('listen where Docker looks, under the name that the daemon knows', async () => {
    const unit = await readFile(SOCKET, 'utf8')
    expect(unit).to.include(`ListenStream=${SETTINGS.socket.fallback}\n`)
    expect(unit).to.include('FileDescriptorName=plugin\n')
    expect(unit).to.include('SocketMode=0660\n')
  })

  it('wait for the daemon to say that it is ready', async () => {
    expect(await readFile(SERVICE, 'utf8')).to.include('Type=notify\n')
  })

  it('give the administrator a socket that nobody else may use', async () => {
    const unit = await readFile(ADMIN_SOCKET, 'utf8')
    expect(unit).to.include(`ListenStream=${SETTINGS.adminSocket.fallback}\n`)
    expect(unit).to.include('FileDescriptorName=admin\n')
    expect(unit).to.include('SocketMode=0600\n')
  })

  it('leave no door behind when they are stopped for good', async () => {
    for (const socket of [SOCKET, ADMIN_SOCKET]) {
      expect(await readFile(socket, 'utf8')).to.include('RemoveOnStop=yes\n')
    }
  })

  it('kill the daemon when it is stuck, and give it time to finish calls', async () => {
    const unit = await readFile(SERVICE, 'utf8')
    expect(unit).to.match(/^WatchdogSec=60$/m)
    const [, stop] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? []
    expect(Number(stop)).to.be.above(60)
  })

  it('start Docker after the plugin, and without it where it must be', async () => {
    const dropIn = await readFile(DROP_IN, 'utf8')
    expect(dropIn).to.match(/^After=.*stowage\.service/m)
    expect(dropIn).to.match(/^Wants=stowage\.service$/m)
    expect(dropIn).not.to.match(/^(Requires|BindsTo|PartOf)=/m)
  })

  it('are named where Docker looks for plugins that do not listen yet', async () => {
    const spec = await readFile('plugin/stowage.spec', 'utf8')
    expect(spec).to.equal(`unix://${SETTINGS.socket.fallback}\n`)
  })

  describe('for systemd itself', () => {
    needs('systemd-analyze')

    const directory = useTempDir()

    it('are without fault', async () => {
      const copies: string[] = []
      for (const unit of [SERVICE, SOCKET, ADMIN_SOCKET]) {
        const copy = join(directory.path, basename(unit))
        const text = await readFile(unit, 'utf8')
        // It looks for the program, which is not installed here.
        const here = text.replace('/usr/local/bin/stowage', process.execPath)
        await writeFile(copy, here, { mode: 0o644 })
        copies.push(copy)
      }
      const verified = await run('systemd-analyze', ['verify', ...copies])
      expect(verified).to.deep.equal({ stdout: '', stderr: '' })
    })
  })
})
