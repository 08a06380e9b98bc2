import type { Readable } from 'node:stream'
import { packDifference } from '../archive/layer-diff.ts'
import { startedStream } from '../base/started-stream.ts'
import type { Driver, LayerId } from '../graph/driver.ts'
import { hold } from '../graph/hold.ts'
import type { DataSource, ExportOptions } from '../storage/data-source.ts'
import { MountDataSource } from '../storage/mount-data-source.ts'
import { ownedStream } from '../storage/owned-stream.ts'
import type { Visit } from './image-readers.ts'
import { layerBelow } from './image-record.ts'

/** The image's whole tree, visible until the source is closed, which ends the visit. */
export async function openImage(
  visit: Visit,
  driver: Driver,
): Promise<DataSource> {
  try {
    const held = await hold(driver, visit.record.layer)
    return new MountDataSource(held.mountpoint, {
      writable: false,
      async letGo() {
        await held[Symbol.asyncDispose]()
        visit.leave()
      },
    })
  } catch (error) {
    visit.leave()
    throw error
  }
}

/**
 * The changes of one image against another; the end of the stream ends the visits.
 * As they are they come as the layer tar that the driver makes of them; filtered,
 * or without data, as an export of what differs between the two trees.
 */
export async function exportDifference(
  visit: Visit,
  ancestor: Visit,
  driver: Driver,
  options: ExportOptions,
): Promise<Readable> {
  const { filter, data = true, signal } = options
  const layer = visit.record.layer
  const below = layerBelow(ancestor.record)
  const leave = async (): Promise<void> => {
    visit.leave()
    ancestor.leave()
  }
  try {
    const isPlain = filter === undefined && data
    const tar = await (isPlain
      ? driver.diff(layer, below)
      : startedStream(compared(driver, layer, ancestor.record.layer, options)))
    return ownedStream(tar, leave, signal)
  } catch (error) {
    await leave()
    throw error
  }
}

async function* compared(
  driver: Driver,
  layer: LayerId,
  below: LayerId,
  { filter, data = true }: ExportOptions,
): AsyncGenerator<Uint8Array, void> {
  await using upper = await hold(driver, layer)
  await using lower = await hold(driver, below)
  const trees = { tree: upper.mountpoint, parent: lower.mountpoint }
  yield* await packDifference(trees, { filter, headersOnly: !data })
}
