import * as fc from 'fast-check'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  type Attributes,
  type Step,
  symlink,
} from '../../src/conformance/tree.ts'

/** A tree of anything that Linux allows, and what was in mind, for reports. */
export interface AnyTree {
  readonly make: (root: string) => Promise<void>
}

/** Any bytes but those that end a name; never a name that deletes in layers. */
const component = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) =>
    Buffer.from(
      bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x5f : byte)),
    ),
  )
  .filter((name) => !['.', '..'].includes(name.toString('latin1')))
  .filter((name) => !name.toString('latin1').startsWith('.wh.'))

const name = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('a', 'a-', 'a-b', 'b', 'ü')
      .map((value) => Buffer.from(value)),
  },
  { weight: 3, arbitrary: component },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 90, max: 255 })
      .map((length) => Buffer.alloc(length, 'n')),
  },
)

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((value) => Buffer.from(value))

const id = fc.oneof(
  fc.nat(2000),
  fc.constantFrom(65_534, 2_097_152, 4_000_000_000),
)

const NANOSECONDS = 1_000_000_000n

/** What ext4 can keep, to the nanosecond, and before 1970. */
const time = fc.oneof(
  fc.bigInt(-2_000_000_000n * NANOSECONDS, 15_000_000_000n * NANOSECONDS),
  fc
    .bigInt(-2_000_000_000n, 15_000_000_000n)
    .map((seconds) => seconds * NANOSECONDS),
)

const xattrs = fc.dictionary(
  fc.constantFrom('user.a', 'user.b', 'trusted.c', 'user.ü'),
  bytes(40),
  { maxKeys: 2 },
)

const attributes = fc.record({
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  mtime: time,
})

type Maker = (
  path: Buffer,
  attributes: Attributes,
  all: Record<string, Buffer>,
) => Step[]

/** How a thing is made, of which there may be an earlier one. */
const maker: fc.Arbitrary<Maker> = fc.oneof(
  bytes(3000).map((content): Maker => (path, look, xs) => [
    file(path, content, { ...look, xattrs: xs }),
  ]),
  fc.constant<Maker>((path, look, xs) => [
    directory(path),
    change(path, { ...look, xattrs: xs }),
  ]),
  fc
    .uint8Array({ minLength: 1, maxLength: 200 })
    .map((target): Maker => (path, look) => [
      symlink(path, Buffer.from(target.map((byte) => byte || 1)), look),
    ]),
  fc
    .tuple(fc.nat(4095), fc.nat(1_048_575))
    .map(([major, minor]): Maker => (path, look) => [
      device(path, 'block', { major, minor }, look),
    ]),
  fc.constant<Maker>((path, look) => [
    device(path, 'character', { major: 1, minor: 3 }, look),
  ]),
  fc.constant<Maker>((path, look) => [fifo(path, look)]),
)

/** Things in up to three levels of directories, and more names for some of them. */
export function anyTree(): fc.Arbitrary<Step> {
  const thing = fc.tuple(
    fc.array(name, { minLength: 1, maxLength: 3 }),
    maker,
    attributes,
    xattrs,
    fc.option(name),
  )
  return fc.array(thing, { maxLength: 12 }).map((things) => {
    const steps: Step[] = []
    const looks: Step[] = []
    for (const [names, make, look, xs, second] of things) {
      const path = Buffer.concat(
        names.flatMap((part, index) =>
          index === 0 ? [part] : [Buffer.from('/'), part],
        ),
      )
      const parent = path.subarray(0, path.lastIndexOf('/') + 1)
      if (names.length > 1) steps.push(directory(parent))
      steps.push(...make(path, look, xs))
      if (second !== null) steps.push(hardLink(second, path))
      looks.push(change(path, { mtime: look.mtime }))
    }
    // Making something in a directory touches it; so times come last.
    return whereverItCan([...steps, ...looks.toReversed()])
  })
}

/** Does the steps that can be done: two of them may want the same name. */
function whereverItCan(steps: readonly Step[]): Step {
  return async (root) => {
    for (const step of steps) {
      try {
        await build(root, step)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error
      }
    }
  }
}
