import { getSystemErrorMap } from 'node:util'
import koffi from 'koffi'

/**
 * The one door to the C library: every call that Node lacks is declared through
 * `declare`, in the file of its family, and nowhere else.
 *
 * Looking symbols up in the running process finds glibc and musl alike.
 */
const process_ = koffi.load(null)

/** A path as the kernel sees it: bytes. A string stands for its UTF-8 form. */
export type PathBytes = string | Buffer

type Argument = string | Buffer | number | bigint | null

/** A C function that answers -1 and sets errno when it fails. */
export interface SystemCall {
  /** Calls it here and now. @throws the system error, as Node's own fs would. */
  (...values: readonly Argument[]): number
  /** Calls it where failing is common, and answers the negated errno for it. */
  attempt(...values: readonly Argument[]): number
  /** Calls it on another thread, for what may take its time. */
  later(...values: readonly Argument[]): Promise<number>
}

/**
 * Declares a C function by its name and parameter types, such as
 * `declare('umount2', ['const char *', 'int'])`.
 *
 * `const char *` takes a string or a NUL-terminated buffer, see `cPath`.
 */
export function declare(
  name: string,
  parameters: readonly string[],
  result: 'int' | 'long' = 'int',
): SystemCall {
  const native = process_.func(name, result, [...parameters])

  const call = (...values: readonly Argument[]): number => {
    const answer = Number(native(...values))
    if (answer < 0) throw systemError(koffi.errno(), name, values)
    return answer
  }
  const attempt = (...values: readonly Argument[]): number => {
    const answer = Number(native(...values))
    return answer < 0 ? -koffi.errno() : answer
  }
  const later = (...values: readonly Argument[]): Promise<number> =>
    new Promise((resolve, reject) => {
      native.async(...values, (failure: Error | null, answer: number) => {
        if (failure !== null) reject(failure)
        else if (answer < 0) reject(systemError(koffi.errno(), name, values))
        else resolve(answer)
      })
    })
  return Object.assign(call, { attempt, later })
}

/** `path` as a NUL-terminated buffer, so that any bytes reach the kernel. */
export function cPath(path: PathBytes): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path
  const terminated = Buffer.alloc(bytes.length + 1)
  bytes.copy(terminated)
  return terminated
}

/** An error like those of `node:fs`: `code`, `errno`, `syscall`, `path`. */
export function systemError(
  errno: number,
  call: string,
  values: readonly Argument[] = [],
): NodeJS.ErrnoException {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [
    `E${errno}`,
    'unknown error',
  ]
  const paths = values.filter((value) => typeof value === 'string')
  const subject = paths.map((path) => ` '${path}'`).join(' ->')
  const error = new Error(`${code}: ${text}, ${call}${subject}`)
  const path = paths.at(-1)
  return Object.assign(error, {
    code,
    errno: -errno,
    syscall: call,
    ...(path === undefined ? {} : { path }),
  })
}
