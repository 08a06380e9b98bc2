import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { mount } from '../linux/mount.ts'

/**
 * Mounts what is not the volume's own at `inside` in it: a directory made in
 * `directory`, with the file `precious`. Returns where it is seen.
 */
export async function mountInside(
  volume: string,
  directory: string,
): Promise<string> {
  const inside = join(volume, 'inside')
  const outside = join(directory, 'outside')
  await fs.mkdir(inside)
  await fs.mkdir(outside)
  await fs.writeFile(join(outside, 'precious'), '')
  mount({ type: 'bind', source: outside, options: [] }, inside)
  return inside
}
