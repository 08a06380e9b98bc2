import * as net from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  DockerdClient,
  PluginFailure,
} from '../../src/conformance/dockerd-client.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

/** Recorded from dockerd 20.10.24, byte for byte. */
const RECORDED = [
  'POST /VolumeDriver.Get HTTP/1.1',
  'Host: ',
  'User-Agent: Go-http-client/1.1',
  'Content-Length: 16',
  'Accept: application/vnd.docker.plugins.v1.2+json',
  '',
  '{"Name":"vol1"}\n',
].join('\r\n')

describe('DockerdClient', () => {
  const directory = useTempDir()
  const received: string[] = []
  let server: net.Server

  /** Answers each request with the next of `answers`, or hangs up. */
  async function listen(...answers: (string | undefined)[]): Promise<string> {
    received.length = 0
    server = net.createServer((socket) => {
      socket.on('data', (chunk) => {
        received.push(chunk.toString())
        const answer = answers.shift()
        if (answer === undefined) socket.destroy()
        else socket.write(answer)
      })
    })
    const path = join(directory.path, 'plugin.sock')
    server.listen(path)
    await once(server, 'listening')
    return path
  }
  afterEach(() => server.close())

  it('sends the very bytes that dockerd sends', async () => {
    const docker = new DockerdClient(await listen(ok('{}')))
    await docker.call('VolumeDriver.Get', { Name: 'vol1' })
    docker.close()
    expect(received).to.deep.equal([RECORDED])
  })

  it('repeats a lost call with an empty body', async () => {
    const docker = new DockerdClient(await listen(undefined, ok('{}')), [1])
    await docker.call('VolumeDriver.Get', { Name: 'vol1' })
    docker.close()
    expect(received[0]).to.equal(RECORDED)
    expect(received[1]).to.match(/Content-Length: 0\r\n.*\r\n\r\n$/s)
  })

  it('judges as dockerd does', async () => {
    const docker = new DockerdClient(
      await listen(
        ok('{"Err":"x"}'),
        ok('null'),
        ok(''),
        ok('{"Err":"disk on fire"}').replace('200', '500'),
      ),
    )
    await expectRejection(docker.call('A.B'), PluginFailure, /^x$/)
    expect(await docker.call('A.B')).to.deep.equal({})
    await expectRejection(docker.call('A.B'), PluginFailure, /^EOF$/)
    await expectRejection(
      docker.call('A.B'),
      PluginFailure,
      /^A\.B: disk on fire$/,
    )
    docker.close()
  })
})

function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
