import { once } from 'node:events'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { InUseError } from '../src/base/errors.ts'
import { listenAt, inheritedSockets } from '../src/plugin-socket.ts'
import { expectRejection } from '../src/conformance/expect-rejection.ts'
import { useTempDir } from '../src/conformance/temp-dir.ts'

describe('listenAt', () => {
  const directory = useTempDir()
  const path = () => join(directory.path, 'run/docker/plugin.sock')

  it('makes the directories above it for all to enter', async () => {
    closeSync((await listenAt(path(), 0o660)).descriptor)
    for (const name of ['run', 'run/docker']) {
      const { mode } = await fs.stat(join(directory.path, name))
      expect(mode & 0o777, name).to.equal(0o755)
    }
  })

  it('replaces a socket that nobody listens at', async () => {
    closeSync((await listenAt(path(), 0o660)).descriptor)
    closeSync((await listenAt(path(), 0o660)).descriptor)
  })

  it('lets those wait who call before anybody answers', async () => {
    const socket = await listenAt(path(), 0o660)
    const caller = net.connect(path())
    await once(caller, 'connect')
    const server = net.createServer((client) => client.end('at last'))
    server.listen({ fd: socket.descriptor })
    expect(await text(caller)).to.equal('at last')
    server.close()
  })

  it('refuses to replace one that listens, and what is none', async () => {
    const socket = await listenAt(path(), 0o660)
    await expectRejection(
      listenAt(path(), 0o660),
      InUseError,
      /another Stowage/,
    )
    closeSync(socket.descriptor)

    const file = join(directory.path, 'file')
    await fs.writeFile(file, '')
    await expectRejection(listenAt(file, 0o660), InUseError, /not a socket/)
  })

  it('hides its own socket, and no other that has taken its place', async () => {
    const first = await listenAt(path(), 0o660)
    await fs.rm(path())
    const second = await listenAt(path(), 0o660)
    await first.hide()
    await fs.stat(path())
    await second.hide()
    await second.hide()
    closeSync(first.descriptor)
    closeSync(second.descriptor)
    expect(await fs.readdir(join(directory.path, 'run/docker'))).to.be.empty
  })
})

describe('inheritedSockets', () => {
  it('go by the names that the unit gives them', () => {
    const env = {
      LISTEN_PID: '7',
      LISTEN_FDS: '2',
      LISTEN_FDNAMES: 'plugin:admin',
    }
    const sockets = inheritedSockets(env, 7)
    expect(sockets.get('plugin')?.descriptor).to.equal(3)
    expect(sockets.get('admin')?.descriptor).to.equal(4)
  })

  it('need no name', () => {
    const sockets = inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7)
    expect([...sockets.values()][0]?.descriptor).to.equal(3)
  })

  it('are not ours when they are for another process', () => {
    const env = { LISTEN_PID: '6', LISTEN_FDS: '1' }
    expect(inheritedSockets(env, 7)).to.be.empty
    expect(inheritedSockets({}, 7)).to.be.empty
  })
})
