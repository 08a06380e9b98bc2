import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'
import {
  type Memory,
  MemoryVolumeStore,
} from '../support/memory-volume-store.ts'

const memories = new Map<string, Memory>()

describeVolumeStorer('memory', async (home) => {
  const memory = memories.get(home) ?? new Map()
  memories.set(home, memory)
  return new MemoryVolumeStore('default', home, memory)
})
