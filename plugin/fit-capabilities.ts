import * as fs from 'node:fs/promises'

/** Their numbers, from <linux/capability.h>. */
const NUMBERS: Readonly<Record<string, bigint>> = {
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
}

/**
 * Takes out of the manifest what this machine has given to nobody: Docker could not
 * give it on, and would not enable the plugin. Answers what was taken out.
 *
 * CAP_SYS_RESOURCE is for one thing: ext4 volumes that grow while they are used.
 */
export async function fitCapabilities(
  manifest: string,
): Promise<readonly string[]> {
  const content = JSON.parse(await fs.readFile(manifest, 'utf8'))
  const wanted: readonly string[] = content.linux.capabilities
  const status = await fs.readFile('/proc/self/status', 'utf8')
  const bounds = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`)
  const isHere = (name: string): boolean =>
    ((bounds >> (NUMBERS[name] ?? 0n)) & 1n) === 1n
  content.linux.capabilities = wanted.filter(isHere)
  await fs.writeFile(manifest, JSON.stringify(content, null, 2))
  return wanted.filter((name) => !isHere(name))
}
