import { Readable } from 'node:stream'
import type { FilterSpec } from '../archive/filter-spec.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { VolumeClones } from '../operations/volume-clones.ts'
import type { VolumeArchives } from '../operations/volume-archives.ts'
import {
  JOB_HEADER,
  type transferEndpoints,
} from './contract/transfer-endpoints.ts'
import type { Handlers } from './handler.ts'
import { jobView } from './job-handlers.ts'

/** Volumes in and out as archives. */
export function transferHandlers(
  archives: VolumeArchives,
  clones: VolumeClones,
): Handlers<typeof transferEndpoints> {
  return {
    async exportVolume({ params: { name }, query }, { header }) {
      const { job, stream } = await archives.export(name, {
        filter: filterOf(query),
        compression: query.compression,
        since: query.since,
      })
      header(JOB_HEADER, job)
      return stream
    },

    async importVolume({ params: { name }, query, body }, { signal }) {
      const { into, option } = query
      if (into && option.length > 0) {
        throw new InvalidArgumentError(
          'A volume that exists takes no options: leave out either "into" or "option"',
        )
      }
      const tar = asReadable(body)
      const { skipped, ...rest } = await archives.import(name, tar, {
        filter: filterOf(query),
        create: into ? undefined : typedOptions(option),
        signal,
      })
      return { ...rest, skipped: [...skipped] }
    },

    async cloneVolume({ params: { name }, body: { to, snapshot, options } }) {
      const source = { volume: name, ...(snapshot && { snapshot }) }
      return jobView(await clones.start(source, to, options))
    },
  }
}

type FilterQuery = Readonly<{
  include: readonly string[]
  exclude: readonly string[]
  strip?: string | undefined
  rebase?: string | undefined
}>

/** No inclusions at all mean everything; an empty list would mean nothing. */
function filterOf({
  include,
  exclude,
  strip,
  rebase,
}: FilterQuery): FilterSpec {
  return {
    include: include.length === 0 ? undefined : include,
    exclude: exclude.length === 0 ? undefined : exclude,
    strip,
    rebase,
  }
}

function typedOptions(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function asReadable(body: NodeJS.ReadableStream): Readable {
  if (body instanceof Readable) return body
  throw new Error('The request is not a stream')
}
