import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { Readable } from 'node:stream'
import {
  InvalidArgumentError,
  isErrno,
  NotFoundError,
} from '../../base/errors.ts'
import { formatBytes, formatCount } from '../amounts.ts'
import { FILTER_OPTIONS, filterOf, PIPE } from '../archive-options.ts'
import { ProgressBar } from '../progress-bar.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'

export const importVerb: Verb = {
  name: 'import',
  summary: 'Make a volume of a tar, from a file or a pipe',
  details:
    'The tar may be plain, or compressed by gzip or zstd. An interrupted import leaves no volume; with --into, what was unpacked by then stays',
  parameters: [
    { name: 'volume', about: 'what the new volume will be called' },
    {
      name: 'file',
      about: 'the tar; "-" or nothing for a pipe',
      isOptional: true,
      completes: 'file',
    },
  ],
  options: [
    {
      name: 'opt',
      short: 'o',
      value: 'KEY=VALUE',
      about: 'an option of the new volume',
      isMany: true,
    },
    { name: 'into', about: 'unpack over a volume that exists' },
    ...FILTER_OPTIONS,
  ],
  examples: [
    {
      line: 'stowage import db /backup/db.tar.zst',
      does: 'what "export" has written',
    },
    {
      line: 'tar -C /srv/www -c . | stowage import web -o store=fast',
      does: 'a directory of the host',
    },
  ],
  async run(given, session) {
    const volume = given.text('volume')
    const into = given.flag('into')
    const source = await open(given.maybe('file') ?? PIPE)
    const bar = new ProgressBar(`Importing ${volume}`, session.terminal)
    const body = Readable.from(watched(source, bar))
    try {
      const daemon = await session.daemon()
      const result = await daemon.ask('importVolume', {
        params: { name: volume },
        query: {
          ...filterOf(given),
          option: [...given.list('opt')],
          into: into ? 'true' : 'false',
        },
        body,
      })
      bar.clear()
      tellSkipped(result.skipped, session)
      session.show(
        { volume, ...result },
        () =>
          `Imported ${formatCount(result.entries, 'entry', 'entries')}, ${formatBytes(result.bytes)}, to ${volume}\n`,
      )
    } catch (error) {
      if (session.signal.aborted && !into) await undone(volume, session)
      throw error
    } finally {
      bar.clear()
      source.bytes.destroy()
    }
  },
}

/**
 * Waits until nothing is left of a volume whose import was interrupted: the daemon
 * hears of that in its own time.
 */
async function undone(volume: string, session: Session): Promise<void> {
  const daemon = await session.anotherDaemon()
  const jobs = await daemon.ask('listJobs', {})
  const own = jobs.find(
    ({ kind, subject, state }) =>
      kind === 'import' && subject === volume && state === 'running',
  )
  if (own === undefined) return
  await daemon.ask('cancelJob', { params: { job: own.id } })
}

interface Source {
  readonly bytes: Readable
  readonly total: number | undefined
}

async function open(file: string): Promise<Source> {
  if (file === PIPE) return { bytes: process.stdin, total: undefined }
  try {
    const status = await fs.stat(file)
    if (status.isDirectory()) throw noTar(file)
    const total = status.isFile() ? status.size : undefined
    return { bytes: createReadStream(file), total }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new NotFoundError(`File "${file}" does not exist`, { cause: error })
  }
}

function noTar(directory: string): Error {
  return new InvalidArgumentError(
    `"${directory}" is a directory, and not a tar: pipe one in, as "tar -C ${directory} -c ." makes it`,
  )
}

async function* watched(
  { bytes, total }: Source,
  bar: ProgressBar,
): AsyncGenerator<Buffer> {
  let done = 0
  for await (const chunk of bytes) {
    done += chunk.length
    bar.show({ done, total, unit: 'bytes' })
    yield chunk
  }
}

/** Not every tar's entries can be made everywhere. */
function tellSkipped(
  skipped: readonly { readonly name: string; readonly reason: string }[],
  { terminal, isJson }: Session,
): void {
  if (isJson) return
  for (const { name, reason } of skipped) {
    terminal.complain(`stowage: Skipped "${name}": ${reason}\n`)
  }
}
