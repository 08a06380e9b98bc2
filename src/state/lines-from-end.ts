import * as fs from 'node:fs/promises'

const BLOCK = 64 * 1024
const NEWLINE = 0x0a

/**
 * The lines of a file, the last first, however long the file is: whoever has read
 * enough stops. What follows the last newline is a line if there is any of it.
 */
export async function* linesFromEnd(path: string): AsyncGenerator<string> {
  await using file = await fs.open(path)
  let { size: unread } = await file.stat()
  // What was read of a line that begins in what was not.
  let begun: Buffer = Buffer.alloc(0)
  while (unread > 0) {
    const length = Math.min(BLOCK, unread)
    unread -= length
    const block = Buffer.alloc(length)
    await file.read(block, 0, length, unread)
    const read = Buffer.concat([block, begun])
    const first = unread === 0 ? 0 : read.indexOf(NEWLINE) + 1
    if (unread > 0 && first === 0) {
      begun = read
      continue
    }
    begun = read.subarray(0, first)
    const lines = read.subarray(first).toString().split('\n')
    // After the last newline there is nothing, or the line is not ended yet.
    for (const line of lines.toReversed()) if (line !== '') yield line
  }
}
