import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { SETTINGS } from '../src/config.ts'
import { needs } from '../src/conformance/capabilities.ts'

const run = promisify(execFile)
const SERVICE = 'plugin/systemd/stowage.service'
const SOCKET = 'plugin/systemd/stowage.socket'

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

  describe('for systemd itself', () => {
    needs('systemd-analyze')

    it('are without fault', async () => {
      const verified = await run('systemd-analyze', ['verify', SERVICE, SOCKET])
      expect(verified).to.deep.equal({ stdout: '', stderr: '' })
    })
  })
})
