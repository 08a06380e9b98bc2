import { serve } from 'stowage'
import { wholeStore } from 'stowage/volume'
import { RcloneStore } from './rclone-store.ts'

const options = { remote: ':local:/srv/remote', directory: '/srv/rclone' }

await serve({
  name: 'cloud',
  volumes: {
    name: 'default',
    kind: 'rclone',
    // Tried again until it succeeds: the remote may be away for now.
    open: async () => wholeStore(await RcloneStore.open(options)),
  },
})
