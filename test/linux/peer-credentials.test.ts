import { once } from 'node:events'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { peerCredentials } from '../../src/linux/peer-credentials.ts'

describe('peerCredentials', () => {
  const home = useTempDir()

  let server: net.Server
  let client: net.Socket
  let accepted: net.Socket

  beforeEach(async () => {
    const path = join(home.path, 'socket')
    server = net.createServer().listen(path)
    await once(server, 'listening')
    client = net.connect(path)
    const connected: net.Socket[] = await once(server, 'connection')
    accepted = connected[0]!
  })
  afterEach(() => {
    hangUp()
    server.close()
  })

  function hangUp(): void {
    client.destroy()
    accepted.destroy()
  }

  it('tells who is at the other end, also when they have gone since', () => {
    const me = {
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    }
    expect(peerCredentials(accepted)).to.deep.equal(me)
    hangUp()
    expect(peerCredentials(accepted)).to.deep.equal(me)
  })

  it('knows nobody behind a connection that was closed before it was asked', () => {
    hangUp()
    expect(peerCredentials(accepted)).to.equal(undefined)
  })
})
