import * as fs from 'node:fs/promises'

/**
 * The kernel's name for this boot. What was mounted or held under another boot
 * is mounted and held no more.
 */
export async function bootId(): Promise<string> {
  return (await fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
}
