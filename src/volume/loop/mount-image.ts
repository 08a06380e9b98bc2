import { messageOf } from '../../base/errors.ts'
import { attachLoop } from '../../linux/loop.ts'
import { mountLater, type MountSpec } from '../../linux/mount.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { mountOptionsOf } from './image-filesystem.ts'
import type { LoopImage } from './loop-image.ts'

/** Mounts an image that nobody writes to, where it is not mounted already. */
export async function mountReadonly(
  { path, filesystem }: LoopImage,
  target: string,
): Promise<void> {
  if (await isMountpoint(target)) return
  await using device = await attachLoop(path, { readonly: true })
  const options = ['ro', ...mountOptionsOf(filesystem)]
  await mountImage({ type: filesystem, source: device.path, options }, target)
}

export async function mountImage(
  spec: MountSpec,
  target: string,
): Promise<void> {
  try {
    await mountLater(spec, target)
  } catch (error) {
    throw new Error(
      `The ${spec.type} image of "${target}" cannot be mounted: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
