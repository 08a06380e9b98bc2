import { serve } from 'stowage'
import { PlainStore } from './plain-store.ts'

await serve({ name: 'plain', volumes: new PlainStore('/srv/plain') })
