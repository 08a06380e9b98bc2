import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { mount, unmount } from '../../src/linux/mount.ts'

/** An overlay as overlay drivers mount it, nothing in it referring to a lower. */
export interface TestOverlay {
  readonly upper: string
  readonly merged: string
  /** Nearest first. */
  readonly lowers: readonly string[]
}

const PLAIN = ['index=off', 'redirect_dir=off', 'metacopy=off']

/** Mounts a new upper directory in `home`, called `name`, over `lowers`. */
export async function mountOverlay(
  home: string,
  name: string,
  lowers: readonly string[],
  features: readonly string[] = PLAIN,
): Promise<TestOverlay> {
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((part) =>
    join(home, name, part),
  ) as [string, string, string]
  for (const path of [upper, work, merged]) {
    await fs.mkdir(path, { recursive: true })
  }
  const options = [
    `lowerdir=${lowers.join(':')}`,
    `upperdir=${upper}`,
    `workdir=${work}`,
    ...features,
  ]
  mount({ type: 'overlay', source: 'overlay', options }, merged)
  return { upper, merged, lowers }
}

export async function unmountOverlay({ merged }: TestOverlay): Promise<void> {
  await unmount(merged)
}
