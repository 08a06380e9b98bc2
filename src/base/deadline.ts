import { UnavailableError } from './errors.ts'

/**
 * The result of `work`, or `UnavailableError` after `milliseconds`.
 *
 * The work itself goes on: most of what can hang here is a system call, and a
 * system call cannot be called back. Whoever starts work that may hang bounds how
 * much of it is outstanding.
 */
export async function withDeadline<T>(
  what: string,
  milliseconds: number,
  work: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new UnavailableError(
          `${what} did not finish within ${milliseconds / 1000} s`,
        ),
      )
    }, milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
