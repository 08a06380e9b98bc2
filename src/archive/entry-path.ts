import { InvalidArgumentError } from '../base/errors.ts'
import { describePath, type PathString, toPathString } from './path-bytes.ts'

const NEEDS_CLEANING = /^\/|\/\/|\/$|(?:^|\/)\.\.?(?:\/|$)/

/**
 * The path within the root that a name in an archive means: names begin at the
 * root, `./` and `//` say nothing, and `..` takes a component back but never leads
 * above the root. `''` is the root itself.
 *
 * It is Docker's reading, which goes by the text alone: links on the way are
 * followed later, by the kernel.
 */
export function entryPath(name: Buffer): PathString {
  const path = trimmed(toPathString(name))
  return NEEDS_CLEANING.test(path) ? clean(path) : path
}

/** @throws InvalidArgumentError when `name` has more than `depth` components. */
export function checkDepth(name: Buffer, depth: number): void {
  // So short a name has no room for so many.
  if (name.length < depth) return
  let components = 1
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) {
    components++
  }
  if (components > depth) {
    throw new InvalidArgumentError(
      `Tar entry ${describePath(name.subarray(0, 60))}… is ${components} directories deep, of at most ${depth}`,
    )
  }
}

/** Without the `./` in front and the `/` behind that most archives have. */
function trimmed(path: PathString): PathString {
  const start = path.startsWith('./') ? 2 : 0
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(start, Math.max(start, end))
}

function clean(path: PathString): PathString {
  const kept: string[] = []
  for (const component of path.split('/')) {
    if (component === '..') kept.pop()
    else if (component !== '' && component !== '.') kept.push(component)
  }
  return kept.join('/')
}
