import type { JsonValue } from './json-value.ts'

export interface DockerVersion {
  readonly version: string
  readonly apiVersion: string
  readonly kernel: string
  readonly experimental: boolean
}

export interface DockerInfo {
  /** The driver that keeps Docker's layers, such as `overlay2` or `stowage`. */
  readonly storageDriver: string
  readonly rootDirectory: string
  readonly liveRestore: boolean
}

/** Something mounted into a container. */
export interface ContainerMount {
  /** `volume`, `bind`, `tmpfs` or what else there will be. */
  readonly type: string
  /** Of a volume; else empty. */
  readonly name: string
  readonly driver: string
  readonly destination: string
}

export interface Container {
  readonly id: string
  readonly name: string
  /** Such as `running`, `exited` or `created`. */
  readonly state: string
  readonly mounts: readonly ContainerMount[]
}

/** A plugin in an image of its own, which `docker plugin` installs. */
export interface ManagedPlugin {
  readonly id: string
  /** With its tag, as volumes name it. */
  readonly name: string
  readonly isEnabled: boolean
  /** The name of its socket, such as `stowage.sock`. */
  readonly socket: string
  /** The settings it runs with. */
  readonly settings: ReadonlyMap<string, string>
}

export interface DockerVolume {
  readonly name: string
  readonly driver: string
}

export function readVersion(body: JsonValue): DockerVersion {
  return {
    version: body.at('Version').text,
    apiVersion: body.at('ApiVersion').text,
    kernel: body.at('KernelVersion').text,
    experimental: body.at('Experimental').flag,
  }
}

export function readInfo(body: JsonValue): DockerInfo {
  return {
    storageDriver: body.at('Driver').text,
    rootDirectory: body.at('DockerRootDir').text,
    liveRestore: body.at('LiveRestoreEnabled').flag,
  }
}

export function readContainer(body: JsonValue): Container {
  const [name] = body.at('Names').items
  return {
    id: body.at('Id').text,
    // Docker's names begin with the slash of links, which are long gone.
    name: (name?.text ?? '').replace(/^\//, ''),
    state: body.at('State').text,
    mounts: body.at('Mounts').items.map((mount) => ({
      type: mount.at('Type').text,
      name: mount.at('Name').text,
      driver: mount.at('Driver').text,
      destination: mount.at('Destination').text,
    })),
  }
}

export function readPlugin(body: JsonValue): ManagedPlugin {
  const settings = body
    .at('Settings')
    .at('Env')
    .items.map(({ text }) => {
      const at = text.indexOf('=')
      return [text.slice(0, at), text.slice(at + 1)] as const
    })
  return {
    id: body.at('Id').text,
    name: body.at('Name').text,
    isEnabled: body.at('Enabled').flag,
    socket: body.at('Config').at('Interface').at('Socket').text,
    settings: new Map(settings),
  }
}

export function readVolume(body: JsonValue): DockerVolume {
  return { name: body.at('Name').text, driver: body.at('Driver').text }
}
