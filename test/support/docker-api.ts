import { once } from 'node:events'
import * as http from 'node:http'

/** What a Docker that is not on this machine would say of itself. */
export interface DockerFacts {
  readonly version: string
  readonly experimental?: boolean
  readonly storageDriver?: string
  readonly rootDirectory: string
  readonly containers?: readonly object[]
  readonly plugins?: readonly object[]
}

/** The part of Docker's API that only reads, answering `facts` at a socket. */
export async function serveDocker(
  socketPath: string,
  facts: DockerFacts,
): Promise<http.Server> {
  const answers = new Map<string, unknown>([
    [
      '/version',
      { Version: facts.version, Experimental: facts.experimental ?? true },
    ],
    [
      '/info',
      {
        Driver: facts.storageDriver ?? 'overlay2',
        DockerRootDir: facts.rootDirectory,
      },
    ],
    ['/containers/json', facts.containers ?? []],
    ['/plugins', facts.plugins ?? []],
  ])
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://docker')
    response.end(JSON.stringify(answers.get(pathname)))
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return server
}
