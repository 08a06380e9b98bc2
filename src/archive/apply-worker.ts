import { serveCalls } from '../base/thread.ts'
import { confine } from '../linux/confinement.ts'
import type { ApplyCalls, ApplyJob } from './apply-job.ts'
import { RingReader } from './byte-ring.ts'
import { Lane } from './lane.ts'
import { LayerExtractor } from './layer-extractor.ts'
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
  using root = confine(job.root, job.confinement)
  using extractor = new LayerExtractor(root, { ...job, lane })
  const reader = new TarReader(extractor, job.limits)
  for (let bytes; (bytes = ring.read()) !== undefined;) {
    reader.push(bytes)
    ring.release(bytes.length)
  }
  reader.finish()
  return extractor.finish()
}

const calls: ApplyCalls = { apply }
serveCalls(calls)
