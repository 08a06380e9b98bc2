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
  const path = toPathString(name)
  return NEEDS_CLEANING.test(path) || path === '.' ? clean(path) : path
}

/** @throws InvalidArgumentError when `path` has more than `depth` components. */
export function checkDepth(path: PathString, depth: number): void {
  let components = 1
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    components++
  }
  if (components > depth) {
    throw new InvalidArgumentError(
      `Tar entry ${describePath(path.slice(0, 60))}… is ${components} directories deep, of at most ${depth}`,
    )
  }
}

function clean(path: PathString): PathString {
  const kept: string[] = []
  for (const component of path.split('/')) {
    if (component === '..') kept.pop()
    else if (component !== '' && component !== '.') kept.push(component)
  }
  return kept.join('/')
}
