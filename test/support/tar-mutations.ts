import { forgeTar, sealed } from '../../src/conformance/forge-tar.ts'
import type { Random } from './random-from.ts'

const BLOCK = 512

const SPARSE_MAP = Buffer.alloc(BLOCK)
SPARSE_MAP.write('2\n0\n5\n4096\n6\n')

/** Valid layers that between them have everything that a tar can hold. */
const SEEDS = [
  forgeTar(
    { name: './', type: '5' },
    { name: 'd/', type: '5', mode: 0o1777 },
    { name: 'd/file', content: 'content', uid: 5, mode: 0o4755 },
    { name: 'd/link', type: '2', linkName: '../../outside' },
    { name: 'd/hard', type: '1', linkName: 'd/file' },
    { name: 'd/link/through', content: 'x' },
    { name: 'null', type: '3', devMajor: 1, devMinor: 3 },
    { name: 'fifo', type: '6' },
    { name: 'd/.wh.file' },
    { name: 'd/.wh..wh..opq' },
  ),
  forgeTar(
    {
      name: 'cut',
      content: 'x'.repeat(700),
      pax: {
        path: `long/${'n'.repeat(120)}`,
        mtime: '-1.5',
        uid: '70000',
        'SCHILY.xattr.user.x': Buffer.from([0, 1, 255]),
      },
    },
    { name: '././@LongLink', type: 'L', content: `${'l/'.repeat(60)}x\0` },
    { name: 'cut' },
    { name: '././@LongLink', type: 'K', content: `${'k'.repeat(120)}\0` },
    { name: 'sym', type: '2', linkName: 'cut' },
  ),
  forgeTar(
    {
      name: 'GNUSparseFile.0/s',
      content: Buffer.concat([SPARSE_MAP, Buffer.from('beginmiddle')]),
      pax: {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': 'sparse',
        'GNU.sparse.realsize': '8192',
      },
    },
    {
      name: 's',
      content: 'beginmiddle',
      pax: { 'GNU.sparse.size': '8192', 'GNU.sparse.map': '0,5,4096,6' },
    },
    { name: '.wh..wh.plnk/1.2', content: 'kept' },
    { name: 'kept', type: '1', linkName: '.wh..wh.plnk/1.2' },
  ),
]

/** Words that have meant trouble. */
const WORDS = [
  '../',
  '/',
  '..',
  '.wh.',
  '.wh..wh..opq',
  '\0',
  '\xff',
  '0777777',
  '=',
  '\n',
  ' ',
  '-1',
  '9'.repeat(20),
]
const FLAGS = '0123456\0xgLKS7'

/** A valid tar with up to eight things wrong, and often whole checksums all the same. */
export function mutatedTar(random: Random): Buffer {
  let tar: Buffer = Buffer.from(pick(random, SEEDS))
  const changes = 1 + random(8)
  for (let i = 0; i < changes; i++) tar = pick(random, MUTATIONS)(tar, random)
  return random(5) === 0 ? tar : resealed(tar)
}

type Mutation = (tar: Buffer, random: Random) => Buffer

const MUTATIONS: readonly Mutation[] = [
  (tar, random) => {
    tar[random(tar.length)]! ^= 1 << random(8)
    return tar
  },
  (tar, random) => {
    tar[random(tar.length)] = random(256)
    return tar
  },
  (tar, random) => {
    return put(tar, pick(random, WORDS), random(tar.length))
  },
  (tar, random) => {
    // The fields of a header, where a word or a digit does most.
    const field = pick(random, [0, 100, 108, 124, 136, 157, 257, 329, 345, 386])
    const at = blockOf(tar, random) + field
    return put(tar, pick(random, WORDS), at)
  },
  (tar, random) => {
    const at = blockOf(tar, random) + 156
    tar[at] = FLAGS.charCodeAt(random(FLAGS.length))
    return tar
  },
  (tar, random) => {
    const at = blockOf(tar, random) + 124
    const size = random(2 ** 31).toString(8)
    return put(tar, size.padStart(11, '0'), at)
  },
  (tar, random) => tar.subarray(0, 1 + random(tar.length)),
  (tar, random) => {
    const at = blockOf(tar, random)
    return Buffer.concat([tar.subarray(0, at), tar.subarray(at + BLOCK)])
  },
  (tar, random) => {
    const [from, to] = [blockOf(tar, random), blockOf(tar, random)]
    const block = tar.subarray(from, from + BLOCK)
    return Buffer.concat([tar.subarray(0, to), block, tar.subarray(to)])
  },
  (tar, random) => Buffer.concat([tar, pick(random, SEEDS)]),
]

/** Gives what looks like headers the checksums that fit them. */
function resealed(tar: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= tar.length; at += BLOCK) {
    const block = tar.subarray(at, at + BLOCK)
    if (block.toString('latin1', 257, 262) === 'ustar') sealed(block)
  }
  return tar
}

/** As much of `text` as there is room for. */
function put(tar: Buffer, text: string, at: number): Buffer {
  if (at < tar.length) tar.write(text, at, 'latin1')
  return tar
}

function blockOf(tar: Buffer, random: Random): number {
  return BLOCK * random(Math.max(1, Math.floor(tar.length / BLOCK)))
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random(choices.length)]!
}
