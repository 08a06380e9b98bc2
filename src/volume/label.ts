import { createHash } from 'node:crypto'

/**
 * The filesystem label of the volume `id`: sixteen hex digits, which is as long as
 * an ext label may be.
 *
 * It is for people who look at devices. Two ids may share a label, by design or by
 * accident, so nothing is ever looked up by it.
 */
export function label(id: string): string {
  return createHash('md5').update(id).digest('hex').slice(0, 16)
}
