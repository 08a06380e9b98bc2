import type { Given } from './given.ts'
import type { Option } from './verb.ts'

/** Which entries go through, and under which names. */
export const FILTER_OPTIONS: readonly Option[] = [
  {
    name: 'include',
    value: 'PATH',
    about: 'only this and what is beneath it',
    isMany: true,
  },
  {
    name: 'exclude',
    value: 'PATH',
    about: 'not this and what is beneath it',
    isMany: true,
  },
  { name: 'strip', value: 'PATH', about: 'take this off the paths' },
  { name: 'rebase', value: 'PATH', about: 'put this before the paths' },
]

/** The same as the daemon takes it. */
export interface FilterQuery {
  readonly include: string[]
  readonly exclude: string[]
  readonly strip: string | undefined
  readonly rebase: string | undefined
}

export function filterOf(given: Given): FilterQuery {
  return {
    include: [...given.list('include')],
    exclude: [...given.list('exclude')],
    strip: given.maybe('strip'),
    rebase: given.maybe('rebase'),
  }
}

/** What stands for a pipe in place of a file. */
export const PIPE = '-'
