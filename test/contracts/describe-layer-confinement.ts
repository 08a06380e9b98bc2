import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { type ForgedEntry, forgeTar } from '../../src/conformance/forge-tar.ts'
import type { ApplyLayer } from '../support/layer.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  file,
  portray,
  symlink,
} from '../../src/conformance/tree.ts'

type Attempt = Readonly<Record<string, readonly ForgedEntry[]>>

/** Ways for a link to lead to `outside`, which lies beside the root. */
const LEADS: Readonly<Record<string, (outside: string) => ForgedEntry[]>> = {
  'an absolute link': (outside) => [link('s', outside)],
  'a relative link': () => [link('s', '../outside')],
  'a link with too many dots': (outside) => [
    link('s', `${'../'.repeat(40)}${outside.slice(1)}`),
  ],
  'a link to the root of all': (outside) => [
    link('top', '/'),
    link('s', `top${outside}`),
  ],
  'a chain of links': () => [
    link('one', '..'),
    link('two', 'one/outside'),
    link('s', 'two'),
  ],
  'a link below a directory': () => [
    { name: 'd/', type: '5' },
    link('d/up', '../..'),
    link('s', 'd/up/outside'),
  ],
  'a link put over a directory': (outside) => [
    { name: 's/', type: '5' },
    { name: 's/x', content: 'x' },
    link('s', outside),
  ],
  'a link through proc': () => [link('s', '/proc/self/cwd/../outside')],
  'a link through a descriptor': () => [
    link('s', '/proc/self/fd/3/../outside'),
  ],
}

/** Things to do through the link `s`. */
const DEEDS: Attempt = {
  'write a new file': [{ name: 's/new', content: 'pwned' }],
  'write over a file': [{ name: 's/canary', content: 'pwned' }],
  'make a directory': [{ name: 's/deep/er/', type: '5' }],
  'change a directory': [
    { name: 's/dir/', type: '5', mode: 0, uid: 9, mtime: 1 },
  ],
  'make a device': [{ name: 's/dev', type: '3', devMajor: 1, devMinor: 1 }],
  'plant a link': [link('s/planted', '/etc')],
  'take a hard link out': [{ name: 'h', type: '1', linkName: 's/canary' }],
  'put a hard link in': [
    { name: 'mine', content: 'pwned' },
    { name: 's/h', type: '1', linkName: 'mine' },
  ],
  'change a file by a hard link': [
    {
      name: 'h',
      type: '1',
      linkName: 's/canary',
      mode: 0o6777,
      uid: 9,
      mtime: 1,
    },
  ],
  'delete a file': [{ name: 's/.wh.canary' }],
  'delete a directory': [{ name: 's/.wh.dir' }],
  'hide everything': [{ name: 's/.wh..wh..opq' }],
  'set an xattr': [
    { name: 's/canary', type: '1', linkName: 's/canary' },
    { name: 's/dir/', type: '5', pax: { 'SCHILY.xattr.user.x': 'pwned' } },
  ],
  'copy by way of aufs': [
    { name: '.wh..wh.plnk/1.2', content: 'x' },
    { name: 's/aufs', type: '1', linkName: '.wh..wh.plnk/1.2' },
  ],
}

/** Names that mean something outside, to those who do not clean them. */
const NAMES: Readonly<Record<string, (outside: string) => string>> = {
  'dots in front': () => '../outside',
  'a slash and dots': () => '/../outside',
  'many dots': () => '../../../../../../../../tmp/../outside',
  'dots in the middle': () => 'below/../../outside',
  'dots and slashes': () => './/..//./../outside',
  'an absolute name': (outside) => outside,
  'a name with a dot too many': () => 'below/./.././../outside',
}

const TO_NAMES: Readonly<Record<string, (path: string) => ForgedEntry[]>> = {
  'write a file': (path) => [{ name: `${path}/canary`, content: 'pwned' }],
  'make a directory': (path) => [{ name: `${path}/dir/`, type: '5', mode: 0 }],
  'delete by whiteout': (path) => [{ name: `${path}/.wh.canary` }],
  'hide everything': (path) => [{ name: `${path}/.wh..wh..opq` }],
  'link to a file': (path) => [
    { name: 'h', type: '1', linkName: `${path}/canary`, mode: 0o777, uid: 9 },
  ],
  'name it by PAX': (path) => [
    { name: 'x', content: 'pwned', pax: { path: `${path}/canary` } },
  ],
  'name it by GNU': (path) => [
    { name: 'L', type: 'L', content: `${path}/canary\0` },
    { name: 'x', content: 'pwned' },
  ],
  'name a sparse file so': (path) => [
    {
      name: 'x',
      content: 'pwned',
      pax: {
        'GNU.sparse.name': `${path}/canary`,
        'GNU.sparse.size': '5',
        'GNU.sparse.map': '0,5',
      },
    },
  ],
}

/**
 * What a hostile layer tries, to reach what lies outside its root. Whether an
 * attempt is refused or comes to something inside, nothing outside may change, and
 * nothing from outside may be found inside.
 */
export function describeLayerConfinement(
  name: string,
  applyLayer: ApplyLayer,
): void {
  describe(`A hostile layer, applied ${name},`, () => {
    needs('root')
    const dir = useTempDir()
    let before: unknown

    const outside = (): string => join(dir.path, 'outside')
    const root = (): string => join(dir.path, 'root')

    beforeEach(async () => {
      await build(
        dir.path,
        directory('outside/dir'),
        file('outside/canary', 'alive', { mode: 0o600, mtime: 5 }),
        file('outside/dir/nested', 'alive'),
        directory('root/below'),
        symlink('root/from-below', '../outside'),
      )
      before = await view()
    })

    /** All about what is outside, links to it from inside among that. */
    async function view(): Promise<unknown> {
      const { nlink, ctimeNs } = await fs.stat(join(outside(), 'canary'), {
        bigint: true,
      })
      return { tree: await portray(outside()), nlink, ctimeNs }
    }

    async function attempt(entries: readonly ForgedEntry[]): Promise<void> {
      try {
        await applyLayer(root(), Readable.from([forgeTar(...entries)]))
      } catch (error) {
        expect(error).to.be.an('error')
      }
      expect(await view()).to.deep.equal(before)
      const inside = await portray(root())
      const { content } = await portray(outside()).then((all) => all['canary']!)
      const copies = Object.values(inside).filter(
        (portrait) => portrait.content === content,
      )
      expect(copies).to.deep.equal([])
      expect(await fs.readdir(dir.path)).to.have.members(['outside', 'root'])
    }

    for (const [lead, links] of Object.entries(LEADS)) {
      for (const [deed, entries] of Object.entries(DEEDS)) {
        it(`cannot ${deed} through ${lead}`, () =>
          attempt([...links(outside()), ...entries]))
      }
    }

    for (const [deed, entries] of Object.entries(DEEDS)) {
      it(`cannot ${deed} through a link from a layer below`, () =>
        attempt(
          entries.map((entry) => ({
            ...entry,
            name: String(entry.name).replace(/^s\//, 'from-below/'),
            linkName: String(entry.linkName ?? '').replace(
              /^s\//,
              'from-below/',
            ),
          })),
        ))
    }

    for (const [how, path] of Object.entries(NAMES)) {
      for (const [deed, entries] of Object.entries(TO_NAMES)) {
        it(`cannot ${deed} by ${how}`, () => attempt(entries(path(outside()))))
      }
    }

    it('cannot change its own root into a link', () =>
      attempt([link('./', '../outside'), { name: 'canary', content: 'pwned' }]))

    it('cannot delete its own root', async () => {
      for (const whiteout of ['.wh..', 'below/.wh...', '.wh.', './/.wh...']) {
        await attempt([{ name: whiteout }])
      }
      expect(await fs.readdir(root())).to.include('below')
    })
  })
}

function link(name: string, linkName: string): ForgedEntry {
  return { name, type: '2', linkName, pax: { linkpath: linkName } }
}
