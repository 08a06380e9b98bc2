/**
 * A program that writes an image and dies on the way: before or after the call of
 * the driver that it is told, or while the layer comes in.
 *
 *     node image-writer.js HOME before|after NUMBER
 *     node image-writer.js HOME during
 */
import { Readable } from 'node:stream'
import { SCRATCH } from '../../src/image/image.ts'
import { atCall, noFaults } from './faulty.ts'
import { layerTar } from './layer-tar.ts'
import { openImages } from './open-images.ts'

const [home = '', moment = '', number = ''] = process.argv.slice(2)
const tar = layerTar({ file: 'x'.repeat(100_000) })

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

function* dying(): Generator<Buffer, void> {
  yield tar.bytes.subarray(0, 50_000)
  die()
}

const faults = noFaults()
const { storer, close } = await openImages(home, { faults })
const store = await storer.getImageStore('main')
if (moment === 'before') faults.before = atCall(Number(number), die)
if (moment === 'after') faults.after = atCall(Number(number), die)
await store.writeImage(
  { id: 'new', parent: SCRATCH, digest: tar.digest },
  moment === 'during' ? Readable.from(dying()) : tar.stream(),
)
await close()
process.stdout.write('written')
