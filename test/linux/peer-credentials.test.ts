import { once } from 'node:events'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { peerCredentials } from '../../src/linux/peer-credentials.ts'

describe('peerCredentials', () => {
  const home = useTempDir()

  it('tells who is at the other end, and nobody once that is closed', async () => {
    const path = join(home.path, 'socket')
    const server = net.createServer()
    server.listen(path)
    await once(server, 'listening')
    const client = net.connect(path)
    const [accepted]: net.Socket[] = await once(server, 'connection')
    expect(peerCredentials(accepted!)).to.deep.equal({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    })
    client.destroy()
    accepted!.destroy()
    expect(peerCredentials(accepted!)).to.equal(undefined)
    server.close()
  })
})
