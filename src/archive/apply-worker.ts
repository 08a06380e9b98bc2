import { serveCalls } from '../base/thread.ts'
import { confine } from '../linux/confinement.ts'
import { Directory } from '../linux/directory.ts'
import type { ApplyCalls, ApplyJob } from './apply-job.ts'
import { RingReader } from './byte-ring.ts'
import { Lane } from './lane.ts'
import { LayerExtractor } from './layer-extractor.ts'
import { OverlayLowers } from './overlay-lowers.ts'
import { TarReader } from './tar/tar-reader.ts'

// All modules are loaded by now: what runs below may see no root but the layer's.

function apply(job: ApplyJob): number {
  const ring = new RingReader(job.ring, job.lane)
  try {
    return applyFrom(ring, job)
  } catch (error) {
    ring.cut()
    throw error
  }
}

function applyFrom(ring: RingReader, job: ApplyJob): number {
  const lane = new Lane(job.lane, job.progress, () => ring.isCut)
  const paths = job.lowers ?? []
  // While the host's paths can still be seen.
  const lowers = lane.isFirst ? paths.map((path) => Directory.open(path)) : []
  try {
    using root = confine(job.root, job.confinement)
    using below =
      lowers.length > 0 ? new OverlayLowers(root, lowers) : undefined
    using extractor = new LayerExtractor(root, {
      ...job,
      lane,
      isUpper: job.lowers !== undefined,
      isLed: paths.length > 0,
      lowers: below,
    })
    return applyTo(extractor, ring, job)
  } finally {
    for (const lower of lowers) lower.close()
  }
}

function applyTo(
  extractor: LayerExtractor,
  ring: RingReader,
  { limits }: ApplyJob,
): number {
  const reader = new TarReader(extractor, limits)
  for (let bytes; (bytes = ring.read()) !== undefined;) {
    reader.push(bytes)
    ring.release(bytes.length)
  }
  reader.finish()
  return extractor.finish()
}

const calls: ApplyCalls = { apply }
serveCalls(calls)
