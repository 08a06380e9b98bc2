import * as fs from 'node:fs/promises'
import { once } from 'node:events'
import * as net from 'node:net'
import { text } from 'node:stream/consumers'
import { NOBODY } from './nobody.ts'

// Tries to get at each of the paths that its input lists, one a line, as a user
// without rights: to read or list it, to write to it, to connect to it. Answers
// those by a line each that it could.
const paths = (await text(process.stdin)).split('\n').filter(Boolean)
process.setgroups?.([])
process.setgid?.(NOBODY)
process.setuid?.(NOBODY)
const ways = {
  read: (path: string) => fs.readFile(path),
  list: (path: string) => fs.readdir(path),
  write: async (path: string) => (await fs.open(path, 'r+')).close(),
  connect: async (path: string) => {
    const socket = net.connect(path)
    await once(socket, 'connect')
    socket.destroy()
  },
}
for (const path of paths) {
  for (const [way, attempt] of Object.entries(ways)) {
    try {
      await attempt(path)
      console.log(`${way} ${path}`)
    } catch {
      // As it should be.
    }
  }
}
