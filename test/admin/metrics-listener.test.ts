import * as net from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect } from 'chai'
import { listenForMetrics } from '../../src/admin/metrics-listener.ts'
import { InUseError } from '../../src/base/errors.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { Metrics } from '../../src/operations/metrics.ts'

describe('listenForMetrics', () => {
  const metrics = new Metrics()
  metrics.gauge('room', 'Room', () => [{ value: 7 }])

  it('serves the metrics on the loopback, and nothing else', async () => {
    const server = await listenForMetrics(0, metrics)
    const { port, address } = server.address() as AddressInfo
    expect(address).to.equal('127.0.0.1')
    const found = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(await found.text()).to.contain('room 7\n')
    const other = await fetch(`http://127.0.0.1:${port}/volumes`)
    expect(other.status).to.equal(404)
    server.close()
    server.closeAllConnections()
  })

  it('says that somebody else has the port', async () => {
    const other = net.createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expectRejection(
      listenForMetrics(port, metrics),
      InUseError,
      /STOWAGE_METRICS_PORT/,
    )
    other.close()
  })
})
