import type { Readable } from 'node:stream'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from './data-sink.ts'
import type { DataSource, ExportOptions } from './data-source.ts'
import { ownedStream } from './owned-stream.ts'

/** Exports `source`, which is closed with the stream, or at once if there is none. */
export async function exportOnce(
  source: DataSource,
  options: ExportOptions = {},
): Promise<Readable> {
  try {
    const tar = await source.export(options)
    return ownedStream(tar, () => source.close(), options.signal)
  } catch (error) {
    await source.close()
    throw error
  }
}

/** Imports into `sink`, which is closed however that ends. */
export async function importOnce(
  sink: DataSink,
  tar: Readable,
  options: ImportOptions = {},
): Promise<ImportResult> {
  try {
    return await sink.import(tar, options)
  } finally {
    await sink.close()
  }
}
