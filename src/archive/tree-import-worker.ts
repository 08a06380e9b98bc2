import { serveCalls } from '../base/thread.ts'
import { confine } from '../linux/confinement.ts'
import { RingReader } from './byte-ring.ts'
import type { ImportResult } from './import-result.ts'
import { TarReader } from './tar/tar-reader.ts'
import { TreeExtractor } from './tree-extractor.ts'
import type { ImportCalls, ImportJob } from './tree-import.ts'

// All modules are loaded by now: what runs below may see no root but the tree's.

function unpack(job: ImportJob): ImportResult {
  const ring = new RingReader(job.ring, 0)
  try {
    using root = confine(job.root, job.confinement)
    using extractor = new TreeExtractor(root, job)
    const reader = new TarReader(extractor, job.limits)
    for (let bytes; (bytes = ring.read()) !== undefined;) {
      reader.push(bytes)
      ring.release(bytes.length)
    }
    reader.finish()
    return extractor.finish()
  } catch (error) {
    ring.cut()
    throw error
  }
}

const calls: ImportCalls = { unpack }
serveCalls(calls)
