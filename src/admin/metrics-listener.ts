import { once } from 'node:events'
import * as http from 'node:http'
import { InUseError, isErrno } from '../base/errors.ts'
import type { Metrics } from '../operations/metrics.ts'
import { METRICS_TYPE } from './contract/daemon-endpoints.ts'

/** Nobody from outside this machine gets here. */
const LOOPBACK = '127.0.0.1'

/**
 * Serves `GET /metrics`, and nothing else, at a port of the loopback: for a
 * Prometheus that cannot ask a unix socket.
 *
 * @throws InUseError when somebody else has the port.
 */
export async function listenForMetrics(
  port: number,
  metrics: Metrics,
): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    void answer(request, response, metrics)
  })
  server.listen(port, LOOPBACK)
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    if (!isErrno(error, 'EADDRINUSE', 'EACCES')) throw error
    throw new InUseError(
      `Metrics cannot be served at port ${port}: somebody else has it. Give it another: to the daemon by STOWAGE_METRICS_PORT, where 0 is for none`,
      { cause: error },
    )
  }
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  metrics: Metrics,
): Promise<void> {
  if (request.method !== 'GET' || request.url !== '/metrics') {
    response.writeHead(404).end('There is only GET /metrics here\n')
    return
  }
  try {
    const text = await metrics.text()
    response.writeHead(200, { 'Content-Type': METRICS_TYPE }).end(text)
  } catch {
    response.writeHead(500).end('The metrics cannot be told\n')
  }
}
