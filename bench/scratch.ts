import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'

/** A folder in memory, gone at the latest with this process's mount namespace. */
export class Scratch implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<Scratch> {
    const path = await fs.mkdtemp(join(tmpdir(), 'stowage-bench-'))
    await command('mount', '-t', 'tmpfs', '-o', 'size=12g', 'bench', path)
    return new Scratch(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command('umount', '--recursive', '--lazy', this.path)
    await fs.rmdir(this.path)
  }
}
