import { once } from 'node:events'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  hasCallers,
  isAnswered,
  listenOn,
  MAX_SOCKET_PATH,
} from '../../src/linux/unix-socket.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('listenOn', () => {
  const directory = useTempDir()

  it('makes a socket that Node takes calls from, in the mode that is asked for', async () => {
    for (const mode of [0o600, 0o660]) {
      const path = join(directory.path, mode.toString(8))
      const server = net.createServer((socket) => socket.end('hello'))
      server.listen({ fd: listenOn(path, mode) })
      const [word] = await once(net.connect(path), 'data')
      expect(String(word)).to.equal('hello')
      expect((await fs.stat(path)).mode & 0o777).to.equal(mode)
      server.close()
      await once(server, 'close')
      expect((await fs.stat(path)).isSocket()).to.equal(true)
    }
  })

  it('refuses a path that is taken', () => {
    const path = join(directory.path, 'socket')
    closeSync(listenOn(path, 0o600))
    expect(() => listenOn(path, 0o600)).to.throw(/EADDRINUSE/)
  })

  it('takes the longest path that an address has room for, and no longer', () => {
    const room = MAX_SOCKET_PATH - directory.path.length - 1
    closeSync(listenOn(join(directory.path, 'x'.repeat(room)), 0o600))
    expect(() =>
      listenOn(join(directory.path, 'y'.repeat(room + 1)), 0o600),
    ).to.throw(/EINVAL/)
  })
})

describe('isAnswered', () => {
  const directory = useTempDir()

  it('tells who listens from a socket that one has left, and from none', async () => {
    const path = join(directory.path, 'socket')
    expect(await isAnswered(path)).to.equal(false)
    const descriptor = listenOn(path, 0o600)
    expect(await isAnswered(path)).to.equal(true)
    const server = net.createServer((socket) => socket.end())
    server.listen({ fd: descriptor })
    await once(server, 'listening')
    expect(await isAnswered(path)).to.equal(true)
    server.close()
    await once(server, 'close')
    expect(await isAnswered(path)).to.equal(false)
  })
})

describe('hasCallers', () => {
  const directory = useTempDir()

  it('tells whether somebody waits to be accepted', async () => {
    const path = join(directory.path, 'socket')
    const descriptor = listenOn(path, 0o600)
    const server = net.createServer().listen({ fd: descriptor })
    await once(server, 'listening')
    expect(hasCallers(descriptor)).to.equal(false)
    const caller = net.connect(path)
    expect(hasCallers(descriptor)).to.equal(true)
    const [accepted] = await once(server, 'connection')
    expect(hasCallers(descriptor)).to.equal(false)
    caller.destroy()
    accepted.destroy()
    server.close()
  })
})
