import { writeSync } from 'node:fs'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { storeKeptBy } from './open-store.ts'

// One call to a local store in a process of its own, so that system calls of it
// can be made to fail: `store-script.js DIRECTORY create|mount|remove NAME`. It
// says `done` or `failed`, and ends in a way that makes no more system calls.
process.umask(0)
const [, , directory = '', act, name = ''] = process.argv
try {
  const store = await storeKeptBy(async () => new LocalKeeping())(directory)
  if (act === 'create') {
    const options = { ro: '', mode: '0750', uid: '70' }
    await store.create(name, parseVolumeOptions(options))
  } else if (act === 'mount') {
    await store.mount(name)
  } else if (act === 'remove') {
    await store.remove(name)
  }
  await store.close()
  writeSync(1, 'done')
} catch {
  writeSync(1, 'failed')
}
process.kill(process.pid, 'SIGKILL')
