import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { InvalidArgumentError } from '../../base/errors.ts'
import { COMPRESSIONS } from '../../admin/contract/transfer-endpoints.ts'
import { exists } from '../../state/listing.ts'
import { formatBytes } from '../amounts.ts'
import { FILTER_OPTIONS, filterOf, PIPE } from '../archive-options.ts'
import { whileShowing } from '../followed-job.ts'
import type { Given } from '../given.ts'
import type { Session } from '../session.ts'
import type { Verb } from '../verb.ts'
import { existsAlready, writeWholeFile } from '../whole-file.ts'

type Compression = (typeof COMPRESSIONS)[number]

/** What the name of a file says about how it is to be compressed. */
const BY_NAME: readonly (readonly [
  pattern: RegExp,
  compression: Compression,
])[] = [
  [/\.(?:gz|tgz)$/, 'gzip'],
  [/\.(?:zst|tzst)$/, 'zstd'],
]

export const exportVerb: Verb = {
  name: 'export',
  summary: 'Write the files of a volume to a tar, in a file or a pipe',
  details:
    'A file is written aside and takes its name when it is whole, so that an interrupted export leaves nothing. Its name chooses the compression: .gz, .tgz, .zst, .tzst',
  parameters: [
    { name: 'volume', about: 'its name', completes: 'volume' },
    {
      name: 'file',
      about: 'where to; "-" or nothing for a pipe',
      isOptional: true,
      completes: 'file',
    },
  ],
  options: [
    {
      name: 'compression',
      value: 'KIND',
      about: `${COMPRESSIONS.join(', ')}; else as the file's name says`,
      completes: COMPRESSIONS,
    },
    {
      name: 'since',
      value: 'VOLUME',
      about: 'only what differs from this volume, as a layer has it',
      completes: 'volume',
    },
    ...FILTER_OPTIONS,
    { name: 'force', short: 'f', about: 'replace a file that is there' },
  ],
  examples: [
    { line: 'stowage export db /backup/db.tar.zst', does: 'a backup' },
    {
      line: 'stowage export db | ssh other stowage import db',
      does: 'to another host',
    },
    {
      line: 'stowage export web site.tar --include html --strip html',
      does: 'one directory, without its name',
    },
  ],
  async run(given, session) {
    const file = given.maybe('file') ?? PIPE
    await refuseTarget(file, given, session)
    const volume = given.text('volume')
    const daemon = await session.daemon()
    const download = await daemon.download('exportVolume', {
      params: { name: volume },
      query: {
        ...filterOf(given),
        since: given.maybe('since'),
        compression: compressionOf(file, given),
      },
    })
    const shown = { job: download.job, label: `Exporting ${volume}` }
    const bytes = await whileShowing(shown, session, () =>
      save(download.bytes, { file, given, session }),
    )
    if (file === PIPE) return
    const result = { volume, file, bytes }
    session.show(
      result,
      () => `Exported ${volume} to ${file}, ${formatBytes(bytes)}\n`,
    )
  },
}

/** What is to be refused before anything is asked of the daemon. */
async function refuseTarget(
  file: string,
  given: Given,
  { terminal }: Session,
): Promise<void> {
  if (file === PIPE) {
    if (!terminal.isRead) return
    throw new InvalidArgumentError(
      'A tar is not for a terminal: name a file, or pipe it into a program',
    )
  }
  if (!given.flag('force') && (await exists(file))) throw existsAlready(file)
}

interface Target {
  readonly file: string
  readonly given: Given
  readonly session: Session
}

/** Answers how many bytes there were. */
async function save(
  bytes: Readable,
  { file, given, session }: Target,
): Promise<number> {
  let count = 0
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      count += chunk.length
      yield chunk
    }
  }
  if (file === PIPE) {
    // It is left open: it is not ours to close.
    await pipeline(bytes, counted, session.terminal.out, { end: false })
  } else {
    const replaces = given.flag('force')
    await writeWholeFile(file, Readable.from(counted(bytes)), { replaces })
  }
  return count
}

function compressionOf(file: string, given: Given): Compression {
  const typed = given.choice('compression', COMPRESSIONS)
  const named = BY_NAME.find(([pattern]) => pattern.test(file))
  return typed ?? named?.[1] ?? 'none'
}
