import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../src/base/errors.ts'
import { Engine } from './engine.ts'
import { fitCapabilities } from './fit-capabilities.ts'
import { packedFolder } from './packed-folder.ts'
import { Registry } from './registry.ts'

const run = promisify(execFile)
const BUILD = join(import.meta.dirname, '../../plugin/build')

/**
 * `npm run plugin:create [-- NAME]` installs the program as a managed plugin of the
 * Docker on this machine, or upgrades the one that is there, and enables it.
 */
try {
  await install(process.argv[2] ?? 'stowage')
} catch (error) {
  process.stderr.write(`plugin:create: ${messageOf(error)}\n`)
  process.exitCode = 1
}

async function install(name: string): Promise<void> {
  const engine = Engine.of(process.env.DOCKER_HOST)
  const before = await engine.state(name)
  if ((await engine.storageDriver()).split(':')[0] === name) {
    throw new Error(
      `Docker keeps its layers in "${name}": start it once with another --storage-driver, run this again, and start it as before`,
    )
  }
  const folder = await fs.mkdtemp(join(tmpdir(), 'stowage-plugin-'))
  try {
    say('Building the plugin from the program and the node of this machine')
    await run(BUILD, [folder])
    for (const dropped of await fitCapabilities(join(folder, 'config.json'))) {
      say(`Going without ${dropped}, which this machine does not have`)
    }
    if (before === 'absent') {
      say(`Creating the plugin "${name}"`)
      await engine.create(name, packedFolder(folder))
    } else {
      await upgrade(engine, { name, folder, isEnabled: before === 'enabled' })
    }
  } finally {
    await fs.rm(folder, { recursive: true, force: true })
  }
  await engine.enable(name)
  say(`Enabled. Now: docker volume create --driver ${name} first
Volumes are in /var/lib/stowage, and stay when the plugin is disabled, upgraded or removed.
Layers, if Docker keeps any here, are in the plugin, and go with "docker plugin rm".`)
  if (await engine.remembersService(name)) {
    say(
      `Until Docker is restarted it takes "${name}" for the service that it knew: restart it, or say --driver ${name}:latest`,
    )
  }
}

interface Upgrade {
  readonly name: string
  readonly folder: string
  readonly isEnabled: boolean
}

/** What fails leaves the plugin as it was, and enabled if it was. */
async function upgrade(
  engine: Engine,
  { name, folder, isEnabled }: Upgrade,
): Promise<void> {
  say(`Upgrading the plugin "${name}", with its settings, volumes and layers`)
  await using registry = await Registry.serve(folder)
  if (isEnabled) await engine.disable(name)
  try {
    await engine.upgrade(name, registry.reference)
  } catch (error) {
    if (isEnabled) await engine.enable(name)
    throw error
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
