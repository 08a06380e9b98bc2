import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError } from '../base/errors.ts'
import { readFormat, settleFormat } from '../state/disk-format.ts'

/** The form in which this Stowage keeps layers, whichever driver it is. */
const EDITION = 1
const FORMAT = 'format'

/** What stands in a Home before its format is written, or beside it. */
const OURS =
  /^(?:lock|lock\.lease|holds|applying|applied|fresh-.*|layers|l|mnt|new-.*|blank-.*|rm-.*|lost\+found)$/

/**
 * The name of the driver that keeps the layers of `home`, or `undefined` where no
 * driver ever did.
 *
 * @throws InvalidArgumentError when the directory is somebody else's.
 */
export async function driverOf(home: string): Promise<string | undefined> {
  const format = await readFormat(join(home, FORMAT))
  if (format === undefined) await refuseForeign(home)
  return format?.kind
}

/** Whether some driver keeps layers in `home`, which may not be there at all. */
export async function isClaimed(home: string): Promise<boolean> {
  return (await readFormat(join(home, FORMAT))) !== undefined
}

/**
 * Says for all time that `driver` keeps the layers of `home`.
 *
 * @throws NotSupportedError when a newer Stowage keeps them.
 */
export async function claim(home: string, driver: string): Promise<void> {
  await settleFormat(join(home, FORMAT), { kind: driver, edition: EDITION })
}

async function refuseForeign(home: string): Promise<void> {
  const foreign = (await fs.readdir(home)).find((name) => !OURS.test(name))
  if (foreign === undefined) return
  throw new InvalidArgumentError(
    `"${home}" holds "${foreign}", which no Stowage made: name an empty directory`,
  )
}
