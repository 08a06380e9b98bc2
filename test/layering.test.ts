import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { expect } from 'chai'

const BELOW_GRAPH = ['base', 'linux', 'state', 'archive'] as const
const ALL_FLOORS = [
  ...BELOW_GRAPH,
  'storage',
  'graph',
  'volume',
  'image',
] as const

/** What each floor may import, apart from itself; see src/README.md. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  linux: ['base'],
  state: ['base', 'linux'],
  archive: ['base', 'linux'],
  storage: BELOW_GRAPH,
  graph: BELOW_GRAPH,
  volume: [...BELOW_GRAPH, 'storage'],
  image: [...BELOW_GRAPH, 'storage', 'graph'],
  operations: [...ALL_FLOORS],
  protocol: ALL_FLOORS,
  docker: ['base'],
  diagnosis: [...ALL_FLOORS, 'operations', 'docker'],
  admin: [...ALL_FLOORS, 'operations', 'docker', 'diagnosis'],
  cli: ['base', 'state', 'docker', 'diagnosis', 'admin', 'conformance'],
  conformance: ALL_FLOORS,
}

/** Packages that belong to one place. All others are a mistake. */
const OWNED_BY: Readonly<Record<string, RegExp>> = {
  koffi: /^src\/linux\/libc\.ts$/,
  'proper-lockfile': /^src\/state\//,
  express: /^src\/(protocol|admin)\//,
  croner: /^src\/operations\//,
  zod: /^src\/admin\//,
  commander: /^src\/cli\//,
  winston: /^src\/logger\.ts$/,
  chai: /^src\/conformance\//,
}

const IMPORT = /(?<!['.])\b(?:from|import)\s*\(?\s*'([^']+)'/g

describe('The floors of src', () => {
  it('import downwards only, and packages only where they belong', async () => {
    const mistakes: string[] = []
    for (const file of await sourceFiles()) {
      for (const [, target] of (await readFile(file, 'utf8')).matchAll(
        IMPORT,
      )) {
        if (!mayImport(file, target!)) mistakes.push(`${file}: ${target}`)
      }
    }
    expect(mistakes).to.deep.equal([])
  })

  it('tell an upward import and a foreign package from what is allowed', () => {
    expect(mayImport('src/archive/x.ts', '../graph/driver.ts')).to.equal(false)
    expect(mayImport('src/archive/x.ts', 'express')).to.equal(false)
    expect(mayImport('src/archive/x.ts', '../linux/mount.ts')).to.equal(true)
    expect(mayImport('src/archive/tar/x.ts', '../changes.ts')).to.equal(true)
    expect(mayImport('src/graph/vfs/x.ts', '../overlay/y.ts')).to.equal(false)
  })

  it('have no file longer than a comfortable read', async () => {
    const long: string[] = []
    for (const file of await sourceFiles()) {
      const lines = (await readFile(file, 'utf8')).split('\n').length - 1
      if (lines > 350) long.push(`${file}: ${lines} lines`)
    }
    expect(long).to.deep.equal([])
  })
})

function mayImport(file: string, target: string): boolean {
  if (target.startsWith('node:')) return true
  if (!target.startsWith('.')) {
    const [name = ''] = target.split('/')
    return OWNED_BY[name]?.test(file) ?? false
  }
  const imported = normalize(join(dirname(file), target))
  const from = floorOf(file)
  const to = floorOf(imported)
  // What stands at the root of src composes the floors and may know them all; so do
  // the package's public entry points.
  if (from === undefined) return true
  if (to === undefined) return false
  if (from !== to) return MAY_IMPORT[from]?.includes(to) ?? false
  return sameRoom(file, imported)
}

/** A folder of a driver, a store or a format knows its floor, never its siblings. */
function sameRoom(file: string, imported: string): boolean {
  const [, , room, inRoom] = file.split('/')
  const [, , otherRoom, inOther] = imported.split('/')
  if (inRoom === undefined || inOther === undefined) return true
  return room === otherRoom
}

function floorOf(path: string): string | undefined {
  const [, floor, rest] = path.split('/')
  return rest === undefined || floor === 'exports' ? undefined : floor
}

async function sourceFiles(): Promise<string[]> {
  const names = await readdir('src', { recursive: true })
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name}`)
}
