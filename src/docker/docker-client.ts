import { once } from 'node:events'
import * as http from 'node:http'
import { text } from 'node:stream/consumers'
import {
  InvalidArgumentError,
  messageOf,
  UnavailableError,
} from '../base/errors.ts'
import {
  type Container,
  type DockerInfo,
  type DockerVersion,
  type DockerVolume,
  type ManagedPlugin,
  readContainer,
  readInfo,
  readPlugin,
  readVersion,
  readVolume,
} from './docker-answers.ts'
import { JsonValue } from './json-value.ts'

/** Where Docker listens unless `DOCKER_HOST` says otherwise. */
export const DOCKER_SOCKET = '/var/run/docker.sock'

/** Longer than Docker takes to list thousands of containers. */
const DEADLINE = 10_000

/**
 * What an administrator may ask of Docker's API over its unix socket. It only reads.
 *
 * Nobody asks from inside of a plugin call: dockerd may hold a lock meanwhile that
 * its answer needs.
 */
export class DockerClient {
  readonly socketPath: string

  constructor(socketPath: string = DOCKER_SOCKET) {
    this.socketPath = socketPath
  }

  /**
   * The Docker that the environment names.
   *
   * @throws InvalidArgumentError for one that is not on this machine.
   */
  static at(host: string = `unix://${DOCKER_SOCKET}`): DockerClient {
    const [, path] = /^unix:\/\/(\/.*)$/.exec(host) ?? []
    if (path !== undefined) return new DockerClient(path)
    throw new InvalidArgumentError(
      `DOCKER_HOST="${host}" is not on this machine: give unix:// and an absolute path`,
    )
  }

  async version(): Promise<DockerVersion> {
    return readVersion(await this.#get('/version'))
  }

  async info(): Promise<DockerInfo> {
    return readInfo(await this.#get('/info'))
  }

  /** All containers, running or not. */
  async containers(): Promise<readonly Container[]> {
    return (await this.#get('/containers/json?all=1')).items.map(readContainer)
  }

  /** The plugins that Docker itself manages. */
  async plugins(): Promise<readonly ManagedPlugin[]> {
    return (await this.#get('/plugins')).items.map(readPlugin)
  }

  /** All volumes of all drivers. Docker asks the drivers meanwhile. */
  async volumes(): Promise<readonly DockerVolume[]> {
    const { items } = (await this.#get('/volumes')).at('Volumes')
    return items.map(readVolume)
  }

  /** Paths carry no version: then each Docker speaks the newest that it knows. */
  async #get(path: string): Promise<JsonValue> {
    const request = http.get({
      socketPath: this.socketPath,
      path,
      signal: AbortSignal.timeout(DEADLINE),
    })
    try {
      const [response]: http.IncomingMessage[] = await once(request, 'response')
      if (response === undefined) throw new Error('No answer')
      const body = new JsonValue(JSON.parse(await text(response)))
      if (response.statusCode === 200) return body
      throw new Error(body.at('message').text)
    } catch (error) {
      throw new UnavailableError(
        `Docker does not answer at "${this.socketPath}": ${messageOf(error)}`,
        { cause: error },
      )
    }
  }
}
