import { join } from 'node:path'
import { build, directory, file, portray } from '../../src/conformance/tree.ts'

/** What is the host's, and beside all that a container or the daemon may touch. */
export const outsideOf = (place: string): string => join(place, 'outside')

/** Makes it, with `secret` in each file, and answers all that can be seen of it. */
export async function buildOutside(
  place: string,
  secret: string,
): ReturnType<typeof portray> {
  await build(
    place,
    directory('outside'),
    file('outside/file', secret),
    directory('outside/deep'),
    file('outside/deep/file', secret),
  )
  return portray(outsideOf(place))
}
