import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { copyProgram } from './images.ts'

const run = promisify(execFile)

/**
 * Adds this machine's node and npm to `root`.
 *
 * @returns The environment in which npm reaches there the registry that it does here.
 */
export async function addNode(
  root: string,
): Promise<Readonly<Record<string, string>>> {
  await copyProgram(process.execPath, root, 'usr/bin')
  const modules = join(root, 'usr/lib/node_modules')
  await fs.mkdir(modules, { recursive: true })
  const { stdout: path } = await run('npm', ['root', '--global'])
  await fs.cp(join(path.trim(), 'npm'), join(modules, 'npm'), {
    recursive: true,
  })
  for (const name of ['npm', 'npx']) {
    const program = `../lib/node_modules/npm/bin/${name}-cli.js`
    await fs.symlink(program, join(root, 'usr/bin', name))
  }
  const registry = { npm_config_registry: await setting('registry') }
  const authority = await setting('cafile')
  if (authority === 'null') return registry
  await fs.mkdir(join(root, dirname(authority)), { recursive: true })
  await fs.copyFile(authority, join(root, authority))
  return { ...registry, npm_config_cafile: authority }
}

/** What npm is told on this machine. */
async function setting(name: string): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', name])
  return stdout.trim()
}
