import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PrivateHost } from './private-host.ts'

const run = promisify(execFile)

/** Applets that the tests call; busybox has the rest under its own name. */
const APPLETS =
  'sh cat ls echo touch mkdir rm ln chmod chown sleep dd stat find mv cp true test id df'

/** Makes `root` what a container can live in: busybox, and `files` by their paths. */
export async function busyboxRoot(
  root: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const name of ['bin', 'tmp', 'etc', 'data']) {
    await fs.mkdir(join(root, name), { mode: 0o755, recursive: true })
  }
  await fs.copyFile('/bin/busybox', join(root, 'bin/busybox'))
  for (const applet of APPLETS.split(' ')) {
    await fs.symlink('busybox', join(root, 'bin', applet))
  }
  for (const [path, content] of Object.entries(files)) {
    await fs.mkdir(join(root, path, '..'), { recursive: true, mode: 0o755 })
    await fs.writeFile(join(root, path), content, { mode: 0o644 })
  }
}

export interface BusyboxOptions {
  /** Programs of this machine, by their paths, that the image has in `/bin` too. */
  readonly programs?: readonly string[]
}

/** Imports an image `bb` of busybox, with `files` added by their paths. */
export async function importBusybox(
  host: PrivateHost,
  files: Readonly<Record<string, string>> = {},
  { programs = [] }: BusyboxOptions = {},
): Promise<void> {
  const root = await fs.mkdtemp(join(tmpdir(), 'stowage-bb-'))
  try {
    await busyboxRoot(root, files)
    for (const program of programs) await copyProgram(program, root, 'bin')
    const tar = join(host.directory, 'busybox.tar')
    await run('tar', ['-C', root, '--numeric-owner', '-cf', tar, '.'])
    await host.docker('import --change', 'CMD ["/bin/sh"]', tar, 'bb')
    await fs.rm(tar)
  } finally {
    await fs.rm(root, { recursive: true, force: true })
  }
}

/** Into a folder of `root`, with the libraries that it is linked to. */
export async function copyProgram(
  program: string,
  root: string,
  folder: string,
): Promise<void> {
  await fs.mkdir(join(root, folder), { recursive: true })
  await fs.copyFile(program, join(root, folder, basename(program)))
  const { stdout } = await run('ldd', [program])
  for (const library of stdout.match(/\/\S+/g) ?? []) {
    await fs.mkdir(join(root, dirname(library)), { recursive: true })
    await fs.copyFile(library, join(root, library))
  }
}
