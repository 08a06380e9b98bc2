import { cPath, declare } from './libc.ts'

const AT_FDCWD = -100
const RENAME_EXCHANGE = 2
/** Older than the calls that have one number everywhere; musl has no name for it. */
const SYS_RENAMEAT2 = process.arch === 'arm64' ? 276 : 316

const syscall = declare(
  'syscall',
  ['long', 'int', 'const char *', 'int', 'const char *', 'unsigned int'],
  'long',
)

/**
 * Exchanges what is at two paths of one filesystem, in one step: at no time, and
 * after no crash, is either of them empty.
 *
 * Fails with EINVAL on the few filesystems that cannot.
 */
export async function exchange(one: string, other: string): Promise<void> {
  await syscall.later(
    SYS_RENAMEAT2,
    AT_FDCWD,
    cPath(one),
    AT_FDCWD,
    cPath(other),
    RENAME_EXCHANGE,
  )
}
