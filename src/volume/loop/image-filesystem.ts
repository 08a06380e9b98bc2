import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotSupportedError,
} from '../../base/errors.ts'

const run = promisify(execFile)

/** How e2fsck(8) says that it found something, and that all is well now. */
const CORRECTED = 1

const KIB = 1024
const MIB = 1024 * 1024

/** Where an image is mounted, and the device that shows it. */
export interface MountedImage {
  readonly device: string
  readonly mountpoint: string
}

/** A program and its arguments. */
type Command = readonly string[]

interface FilesystemForm {
  /** The least that it can be made of, with a journal. */
  readonly smallest: number
  readonly make: (image: string, label: string) => Command
  /** Make it as large as its device, while it is not mounted anywhere. */
  readonly growUnmounted: (device: string) => readonly Command[]
  /** Make it as small as that, or say why it never shrinks. */
  readonly shrink:
    ((image: string, bytes: number) => readonly Command[]) | string
  /** Makes it as large as its device, while it is mounted. */
  readonly growMounted: (mounted: MountedImage) => Command
  readonly mountOptions: readonly string[]
  /** The package that the programs come in. */
  readonly from: string
}

/** The filesystems that images can hold, and how each is made, grown and mounted. */
const FORMS = {
  ext4: {
    smallest: 2 * MIB,
    // Nothing is kept back for root; tables are zeroed later, and are zero already.
    make: (image, label) =>
      ['mkfs.ext4', '-q', '-F', '-m', '0', '-L', label].concat(
        ['-E', 'nodiscard,lazy_itable_init=1,lazy_journal_init=1'],
        image,
      ),
    growUnmounted: (device) => [
      ['e2fsck', '-f', '-p', device],
      ['resize2fs', device],
    ],
    shrink: (image, bytes) => [
      ['e2fsck', '-f', '-p', image],
      ['resize2fs', image, `${bytes / KIB}K`],
    ],
    // The kernel asks for CAP_SYS_RESOURCE here, which not every machine has.
    growMounted: ({ device }) => ['resize2fs', device],
    mountOptions: [],
    from: 'e2fsprogs',
  },
  xfs: {
    smallest: 300 * MIB,
    make: (image, label) => {
      return ['mkfs.xfs', '-q', '-K', '-L', label.slice(0, 12), image]
    },
    growUnmounted: () => [],
    shrink: 'xfs never shrinks',
    growMounted: ({ mountpoint }) => ['xfs_growfs', mountpoint],
    // A clone has the UUID of what it was cloned from.
    mountOptions: ['nouuid'],
    from: 'xfsprogs',
  },
} satisfies Record<string, FilesystemForm>

export type ImageFilesystem = keyof typeof FORMS

export const IMAGE_FILESYSTEMS: readonly string[] = Object.keys(FORMS)

export function isImageFilesystem(name: string): name is ImageFilesystem {
  return Object.hasOwn(FORMS, name)
}

export function smallestImage(filesystem: ImageFilesystem): number {
  return FORMS[filesystem].smallest
}

export function mountOptionsOf(filesystem: ImageFilesystem): readonly string[] {
  return FORMS[filesystem].mountOptions
}

/** Makes an empty filesystem of the whole of `image`. */
export async function makeFilesystem(
  filesystem: ImageFilesystem,
  image: string,
  label: string,
): Promise<void> {
  const form: FilesystemForm = FORMS[filesystem]
  await runTool(form.make(image, label), form)
}

/**
 * Makes a filesystem as large as its device has become, while nobody has it
 * mounted. Answers whether that can be done so.
 */
export async function growUnmounted(
  filesystem: ImageFilesystem,
  device: string,
): Promise<boolean> {
  const form: FilesystemForm = FORMS[filesystem]
  const commands = form.growUnmounted(device)
  for (const command of commands) await runTool(command, form)
  return commands.length > 0
}

/** Makes a filesystem as large as its device has become, while it is mounted. */
export async function growMounted(
  filesystem: ImageFilesystem,
  mounted: MountedImage,
): Promise<void> {
  const form: FilesystemForm = FORMS[filesystem]
  await runTool(form.growMounted(mounted), form)
}

/** Why a filesystem cannot become smaller, in words that follow "because". */
export function whyNotShrink(filesystem: ImageFilesystem): string | undefined {
  const { shrink }: FilesystemForm = FORMS[filesystem]
  return typeof shrink === 'string' ? shrink : undefined
}

/**
 * Makes the filesystem in `image` smaller, while nobody has it mounted. What is in
 * the image past `bytes` is nothing by then.
 *
 * @throws InvalidArgumentError when it holds more.
 */
export async function shrinkUnmounted(
  filesystem: ImageFilesystem,
  image: string,
  bytes: number,
): Promise<void> {
  const form: FilesystemForm = FORMS[filesystem]
  if (typeof form.shrink === 'string') throw new Error(form.shrink)
  try {
    for (const command of form.shrink(image, bytes)) {
      await runTool(command, form)
    }
  } catch (error) {
    if (!/smaller than minimum|Not enough space/i.test(messageOf(error))) {
      throw error
    }
    throw new InvalidArgumentError(
      `${bytes} bytes are too few: the volume holds more, or its filesystem needs more`,
      { cause: error },
    )
  }
}

/** @throws NotSupportedError when the programs for `filesystem` are missing. */
export async function requireTools(filesystem: ImageFilesystem): Promise<void> {
  const form: FilesystemForm = FORMS[filesystem]
  const [program = ''] = form.make('', '')
  await runTool([program, '-V'], form)
}

/** A daemon's PATH often lacks the folders of these programs. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`

async function runTool(
  [program = '', ...args]: Command,
  { from }: FilesystemForm,
): Promise<void> {
  try {
    await run(program, args, { env: { ...process.env, PATH } })
  } catch (error) {
    if (isErrno(error, String(CORRECTED)) && program === 'e2fsck') return
    if (!isErrno(error, 'ENOENT')) throw error
    throw new NotSupportedError(
      `"${program}" is missing on this machine: install ${from}`,
      { cause: error },
    )
  }
}
