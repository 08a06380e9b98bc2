import * as http from 'node:http'
import type { RequestListener } from 'node:http'

/**
 * An HTTP server that never closes a connection of its own accord.
 *
 * Docker keeps two idle connections for ever. A server that drops one just when
 * Docker uses it again loses the request, and Docker repeats it with an empty
 * body. Uploads of layers take as long as they take.
 */
export function createServer(listener: RequestListener): http.Server {
  const server = http.createServer(
    {
      requireHostHeader: false,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
    },
    listener,
  )
  server.timeout = 0
  server.maxRequestsPerSocket = 0
  return server
}
