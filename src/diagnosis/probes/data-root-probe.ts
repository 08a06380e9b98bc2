import { constants, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NotSupportedError } from '../../base/errors.ts'
import { readFormat } from '../../state/disk-format.ts'
import { type Finding, finding, type Probe } from '../finding.ts'

/** The most that this program understands of a data root. */
const KIND = 'stowage'
const EDITION = 1
const PASSAGE_MODE = 0o711

/** The directory that everything is under, as such. */
export const dataRootProbe: Probe = {
  name: 'data root',
  async run({ settings: { dataRoot } }) {
    const present = await statOf(dataRoot)
    if (present === undefined) return [missing(dataRoot)]
    if (!(await isWritable(dataRoot))) return [readOnly(dataRoot)]
    return [...exposed(dataRoot, present), ...(await foreign(dataRoot))]
  },
}

function missing(dataRoot: string): Finding {
  return finding('new-data-root', dataRoot, {
    explanation: `"${dataRoot}" does not exist: no daemon was ever started here, or its disk is not mounted`,
    advice:
      'If there were volumes, mount their disk first; if not, the daemon makes it',
  })
}

function readOnly(dataRoot: string): Finding {
  return finding('read-only-data-root', dataRoot, {
    explanation: `"${dataRoot}" cannot be written: its filesystem is mounted read-only, or became so after an error. No volume can be made, and none mounted that needs a record`,
    advice: `Look for errors of its disk with "dmesg", check the filesystem, and then "mount -o remount,rw" it`,
  })
}

function exposed(dataRoot: string, { mode }: Stats): readonly Finding[] {
  if ((mode & 0o066) === 0) return []
  return [
    finding('open-data-root', dataRoot, {
      explanation: `"${dataRoot}" has mode ${(mode & 0o7777).toString(8)}: other users may list what volumes there are`,
      advice: `Run chmod 711 ${dataRoot}`,
      repair: {
        action: 'give the data root mode 711',
        needsStopped: false,
        apply: () => fs.chmod(dataRoot, PASSAGE_MODE),
      },
    }),
  ]
}

async function foreign(dataRoot: string): Promise<readonly Finding[]> {
  const path = join(dataRoot, 'format')
  const told = (explanation: string): readonly Finding[] => [
    finding('foreign-data-root', path, {
      explanation: `${explanation}. The daemon does not touch it`,
      advice:
        'Use the version of Stowage that wrote it, or another data root; if the file was damaged, restore it from a backup',
    }),
  ]
  try {
    const format = await readFormat(path)
    if (format === undefined) return []
    if (format.kind === KIND && format.edition <= EDITION) return []
    return told(
      `"${path}" says "${format.kind}" in edition ${format.edition}, and this version knows "${KIND}" up to ${EDITION}`,
    )
  } catch (error) {
    if (error instanceof NotSupportedError) return told(error.message)
    throw error
  }
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await fs.access(path, constants.W_OK)
    return true
  } catch (error) {
    if (isErrno(error, 'EROFS', 'EACCES')) return false
    throw error
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await fs.stat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
