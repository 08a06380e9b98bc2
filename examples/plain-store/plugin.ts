import { mkdirSync } from 'node:fs'
import { serve } from 'stowage'
import { PlainStore } from './plain-store.ts'

const root = '/srv/plain'
mkdirSync(root, { recursive: true })
await serve({ name: 'plain', volumes: new PlainStore(root) })
