import { serve } from 'stowage'
import { CopyDriver } from './copy-driver.ts'

await serve({
  name: 'copy',
  graph: (directory, circumstances) => new CopyDriver(directory, circumstances),
})
