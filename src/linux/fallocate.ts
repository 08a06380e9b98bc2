import type { FileHandle } from 'node:fs/promises'
import { declare } from './libc.ts'

const fallocate = declare('fallocate', ['int', 'int', 'long', 'long'])

/** Makes `file` as long as `bytes`, and takes the room for it on disk. */
export async function reserve(file: FileHandle, bytes: number): Promise<void> {
  await fallocate.later(file.fd, 0, 0, bytes)
}
