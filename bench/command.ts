import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** What a program prints; rejects with what it complains of. */
export async function command(
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { stdout } = await execute(program, args, { maxBuffer: 1 << 28 })
  return stdout
}
