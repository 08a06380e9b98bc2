import { once } from 'node:events'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { hearNoMore } from '../../src/linux/hear-no-more.ts'

describe('hearNoMore', () => {
  const directory = useTempDir()
  let server: net.Server
  let caller: net.Socket
  let accepted: net.Socket

  beforeEach(async () => {
    const path = join(directory.path, 'socket')
    server = net.createServer({ allowHalfOpen: true }).listen(path)
    await once(server, 'listening')
    caller = net.connect(path)
    ;[accepted] = await once(server, 'connection')
  })
  afterEach(() => {
    caller.destroy()
    accepted.destroy()
    server.close()
  })

  it('reads what was written before, and tells of the end', async () => {
    caller.write('before')
    await once(accepted, 'readable')
    hearNoMore(accepted)
    const heard: Buffer[] = []
    for await (const chunk of accepted.iterator({ destroyOnReturn: false })) {
      heard.push(chunk)
    }
    expect(String(Buffer.concat(heard))).to.equal('before')
  })

  it('lets whoever writes know that nobody reads it', async () => {
    hearNoMore(accepted)
    caller.write('after')
    const [error] = await once(caller, 'error')
    expect(error).to.have.property('code', 'EPIPE')
  })

  it('still lets this side speak', async () => {
    hearNoMore(accepted)
    accepted.end('answer')
    const [answer] = await once(caller, 'data')
    expect(String(answer)).to.equal('answer')
  })

  it('does nothing to a socket that is closed', () => {
    accepted.destroy()
    hearNoMore(accepted)
  })
})
