import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError, isErrno } from '../base/errors.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'

/** The form in which this Stowage keeps layers. */
const CURRENT = 1
const FORMAT = 'format'

/** What stands in a Home before its format is written, or beside it. */
const OURS =
  /^(?:lock|lock\.lease|holds|applying|applied|layers|l|mnt|new-.*|rm-.*|lost\+found)$/

/**
 * The name of the driver that keeps the layers of `home`, or `undefined` where no
 * driver ever did.
 *
 * @throws InvalidArgumentError when a newer Stowage keeps layers there, or when
 * the directory is somebody else's.
 */
export async function driverOf(home: string): Promise<string | undefined> {
  const text = await readFormat(home)
  if (text === undefined) {
    await refuseForeign(home)
    return undefined
  }
  const [format, driver] = parse(home, text)
  if (format > CURRENT) {
    throw new InvalidArgumentError(
      `"${home}" keeps layers in format ${format} (${driver}), and this Stowage knows formats up to ${CURRENT}: use the newer Stowage that made it`,
    )
  }
  return driver
}

/** Says for all time that `driver` keeps the layers of `home`. */
export async function claim(home: string, driver: string): Promise<void> {
  const text = `${JSON.stringify({ format: CURRENT, driver })}\n`
  await writeFileAtomic(join(home, FORMAT), text, { mode: 0o644 })
}

async function readFormat(home: string): Promise<string | undefined> {
  try {
    return await fs.readFile(join(home, FORMAT), 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

async function refuseForeign(home: string): Promise<void> {
  const foreign = (await fs.readdir(home)).find((name) => !OURS.test(name))
  if (foreign === undefined) return
  throw new InvalidArgumentError(
    `"${home}" holds "${foreign}", which no Stowage made: name an empty directory`,
  )
}

function parse(home: string, text: string): [format: number, driver: string] {
  const value: unknown = parseJson(text)
  if (
    typeof value === 'object' &&
    value !== null &&
    'format' in value &&
    'driver' in value &&
    typeof value.format === 'number' &&
    typeof value.driver === 'string'
  ) {
    return [value.format, value.driver]
  }
  throw new InvalidArgumentError(
    `"${join(home, FORMAT)}" is damaged: it should be like {"format":${CURRENT},"driver":"overlay"}`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
