import { expect } from 'chai'
import { CompiledFilter } from '../../src/archive/compiled-filter.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  type CopyMount,
  planCopyFrom,
  planCopyTo,
} from '../../src/storage/copy-plan.ts'

describe('planCopyFrom', () => {
  // Which part of a mount is taken, and under which name: rebase and strip.
  for (const [path, mount, rebase, strip] of [
    ['/', '/', '', ''],
    ['/', '/mnt/vols/A', 'mnt/vols/A', ''],
    ['/mnt/vols', '/', 'vols', 'mnt/vols'],
    ['/mnt/vols/', '/', 'vols', 'mnt/vols'],
    ['/mnt/vols', '/mnt/vols/A', 'vols/A', ''],
    ['/mnt/vols/.', '/', '', 'mnt/vols'],
    ['/mnt/vols/.', '/mnt/vols/A', 'A', ''],
    ['/mnt/vols/A/a/path', '/mnt/vols/A', 'path', 'a/path'],
    ['/mnt/vols/A/a/path/f.txt', '/mnt/vols/A', 'f.txt', 'a/path/f.txt'],
    ['/mnt/vols/A', '/mnt/vols/A', 'A', ''],
  ] as const) {
    it(`of ${path} takes "${strip}" of ${mount} and calls it "${rebase}"`, () => {
      const steps = planCopyFrom(path, mounts('/', '/mnt/vols/A'))
      const step = steps.find((each) => each.mount.destination === mount)
      expect(step?.filter).to.include({ rebase, strip })
    })
  }

  // What of a mount is let in and kept out.
  for (const [path, mount, all, include, exclude] of [
    ['/mnt', '/', ['/mnt/A', '/mnt/B'], ['mnt'], ['', 'mnt/A/', 'mnt/B/']],
    ['/mnt', '/mnt/A', ['/mnt/A', '/mnt/A/dir/AB'], [''], ['dir/AB/']],
    ['/mnt/.', '/', ['/mnt/A'], ['mnt/'], ['', 'mnt/A/']],
    ['/mnt/vols/A', '/mnt/vols/A', ['/mnt/vols/A'], [''], []],
    ['/', '/', ['/mnt/vols/A'], [''], ['mnt/vols/A/']],
    ['/mnt/A/.', '/mnt/A', ['/mnt/A'], ['/'], ['']],
  ] as const) {
    it(`of ${path} with ${all.join(' and ')} lets in ${JSON.stringify(include)} of ${mount}, and keeps out ${JSON.stringify(exclude)}`, () => {
      const steps = planCopyFrom(path, mounts('/', ...all))
      const step = steps.find((each) => each.mount.destination === mount)
      expect(step?.filter.include).to.deep.equal(include)
      expect(step?.filter.exclude).to.deep.equal(exclude)
    })
  }

  /** A container with two volumes, and names that only look alike. */
  const TREES: Readonly<Record<string, readonly string[]>> = {
    '/': [
      '',
      'mnt',
      'mnt/A',
      'mnt/A/hidden',
      'mnt/B',
      'mnt/r.txt',
      'mntfoo',
      'mntfoo/x',
    ],
    '/mnt/A': ['', 'f', 'sub', 'sub/g'],
    '/mnt/B': ['', 'h'],
  }
  for (const [path, names] of [
    [
      '/mnt',
      [
        'mnt',
        'mnt/A',
        'mnt/B',
        'mnt/r.txt',
        'mnt/A',
        'mnt/A/f',
        'mnt/A/sub',
        'mnt/A/sub/g',
        'mnt/B',
        'mnt/B/h',
      ],
    ],
    ['/mnt/.', ['A', 'B', 'r.txt', 'A', 'A/f', 'A/sub', 'A/sub/g', 'B', 'B/h']],
    ['/mnt/r.txt', ['r.txt']],
    ['/mnt/A', ['A', 'A/f', 'A/sub', 'A/sub/g']],
    ['/mnt/A/sub', ['sub', 'sub/g']],
    ['/mnt/A/.', ['f', 'sub', 'sub/g']],
    ['/mntfoo', ['mntfoo', 'mntfoo/x']],
  ] as const) {
    it(`of ${path} gives ${names.join(', ')}`, () => {
      const steps = planCopyFrom(path, mounts('/', '/mnt/A', '/mnt/B'))
      const copied = steps.flatMap(({ mount, filter: spec }) => {
        const filter = CompiledFilter.compile(spec)
        return TREES[mount.destination]!.filter(
          (name) => !filter.excludes(name),
        ).map((name) => filter.rename(name) ?? '.')
      })
      expect(copied).to.deep.equal(names)
    })
  }

  it('refuses a path that is in none of the mounts', () => {
    expect(() => planCopyFrom('/var', mounts('/mnt'))).to.throw(
      InvalidArgumentError,
      'Path "/var" is in none of the mounts',
    )
  })
})

describe('planCopyTo', () => {
  for (const [path, entry, mount, rebase, strip] of [
    ['/mnt/vols', 'f', '/', 'mnt/vols', ''],
    ['/mnt/vols', 'A/f', '/mnt/vols/A', '', 'A'],
    ['/mnt/vols', 'A', '/mnt/vols/A', '', 'A'],
    ['/mnt/vols', './A/f', '/mnt/vols/A', '', 'A'],
    [
      '/mnt/vols',
      'A/subvols/AB/f',
      '/mnt/vols/A/subvols/AB',
      '',
      'A/subvols/AB',
    ],
    ['/mnt/vols/A/a/path', 'f', '/mnt/vols/A', 'a/path', ''],
    ['/path/file.txt', 'x', '/', 'path/file.txt', ''],
    ['/mnt/vols', 'Abc.txt', '/', 'mnt/vols', ''],
    ['/', 'mnt/vols/A/f', '/mnt/vols/A', '', 'mnt/vols/A'],
    ['/mnt/vols/A/sub', 'f', '/mnt/vols/A', 'sub', ''],
  ] as const) {
    it(`${path} sends ${entry} to ${mount}, below "${rebase}" and without "${strip}"`, () => {
      const all = mounts('/', '/mnt/vols/A', '/mnt/vols/A/subvols/AB')
      const step = planCopyTo(path, all).route(entry)
      expect(step.mount.destination).to.equal(mount)
      expect(step.filter).to.deep.equal({ rebase, strip })
    })
  }

  it('answers the same step for all entries of one mount', () => {
    const router = planCopyTo('/mnt', mounts('/', '/mnt/A'))
    expect(router.route('A/x')).to.equal(router.route('A/y'))
  })

  it('refuses an entry that leaves the destination, or a mount that is read-only', () => {
    const [root] = mounts('/')
    const router = planCopyTo('/mnt', [
      root!,
      { destination: '/mnt/A', key: 'volumes', id: 'a', readonly: true },
    ])
    expect(() => router.route('../etc/passwd')).to.throw(
      InvalidArgumentError,
      'Entry "../etc/passwd" leaves "/mnt"',
    )
    expect(() => router.route('A/f')).to.throw(
      InvalidArgumentError,
      'Entry "A/f" cannot be copied: "/mnt/A" is mounted read-only',
    )
  })
})

function mounts(...destinations: readonly string[]): readonly CopyMount[] {
  return destinations.map((destination) => ({
    destination,
    key: destination === '/' ? 'layers' : 'volumes',
    id: destination,
  }))
}
