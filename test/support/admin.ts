import { once } from 'node:events'
import * as http from 'node:http'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { openRecords } from '../../src/admin-records.ts'
import { startAdmin } from '../../src/admin-service.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { readConfig } from '../../src/config.ts'
import { openVolumes, type VolumeHalf } from '../../src/halves.ts'
import { Logger } from '../../src/logger.ts'
import { listenAt } from '../../src/plugin-socket.ts'
import type { Beside } from '../../src/plugin.ts'
import type { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { storeSource } from '../../src/volume/volume-stores.ts'

/** One answer of the administrator's API. */
export interface Answered {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  /** The text as JSON. */
  readonly body: unknown
}

/** Sends one request over a unix socket; the body is JSON, or bytes as they are. */
export async function askAdmin(
  socketPath: string,
  operation: string,
  body?: unknown,
): Promise<Answered> {
  const response = await openAdmin(socketPath, operation, body)
  const answer = await text(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: answer,
    get body() {
      return JSON.parse(answer) as unknown
    },
  }
}

/** Like `askAdmin`, but answers when the head has come, for what streams. */
export async function openAdmin(
  socketPath: string,
  operation: string,
  body?: unknown,
): Promise<http.IncomingMessage> {
  const [method, path] = operation.split(' ')
  const request = http.request({ socketPath, method, path, agent: false })
  request.end(
    body === undefined || body instanceof Uint8Array
      ? body
      : JSON.stringify(body),
  )
  const [response] = await once(request, 'response')
  if (response instanceof http.IncomingMessage) return response
  throw new Error('There was no response')
}

/** The administrator's API over two stores of a test. */
export interface ServedAdmin {
  readonly dataRoot: string
  readonly socketPath: string
  readonly volumes: VolumeLookupCache
  readonly service: Beside
  ask(operation: string, body?: unknown): Promise<Answered>
  /** Ends the service and starts it anew over the same data root. */
  restart(): Promise<void>
}

/** Serves the API anew for each test of the suite, in this process. */
export function useAdmin(): ServedAdmin {
  const directory = useTempDir()
  let volumes: VolumeLookupCache
  let half: VolumeHalf
  let service: Beside

  const start = async (): Promise<void> => {
    const dataRoot = join(directory.path, 'root')
    const env = {
      STOWAGE_DATA_ROOT: dataRoot,
      STOWAGE_ADMIN_SOCKET: join(directory.path, 'admin.sock'),
      STOWAGE_STORES: 'default=local: memory=tmpfs:',
    }
    const config = readConfig(env)
    const log = Logger.open({
      level: 'error',
      format: 'json',
      stream: nowhere(),
    })
    const stores = config.stores.map((spec) =>
      storeSource(spec, { dataRoot, log }),
    )
    half = openVolumes({ dataRoot, stores, scope: 'local', log })
    volumes = await half.volumes
    const socket = await listenAt(config.adminSocket, 0o600)
    service = await startAdmin({
      ...(await openRecords(dataRoot, log)),
      config,
      env,
      log,
      socket,
      added: [],
      volumes: half.volumes,
      trash: half.trash,
    })
    await service.opened
  }
  const stop = async (): Promise<void> => {
    await service.drain()
    await service.close()
    await half.close()
  }
  beforeEach(start)
  afterEach(stop)

  return {
    get dataRoot() {
      return join(directory.path, 'root')
    },
    get socketPath() {
      return join(directory.path, 'admin.sock')
    },
    get volumes() {
      return volumes
    },
    get service() {
      return service
    },
    ask(operation, body) {
      return askAdmin(this.socketPath, operation, body)
    },
    async restart() {
      await stop()
      await start()
    },
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
