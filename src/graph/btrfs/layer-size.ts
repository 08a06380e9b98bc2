import { InvalidArgumentError } from '../../base/errors.ts'
import { parseSize } from '../size.ts'

/**
 * The least that a layer may be allowed to add. Every layer has 16 KiB of its own
 * before anything is in it, and making a file reserves some more.
 */
export const SMALLEST_SIZE = 1024 * 1024

const OPTION = 'size'

/**
 * The bytes that the option `size` allows a container to add to its image, or
 * `undefined` where it is not given.
 *
 * @throws InvalidArgumentError for another option, and for a size that is no size
 * or below `smallest`.
 */
export function readLayerSize(
  options: Readonly<Record<string, string>>,
  smallest: number,
): number | undefined {
  for (const option of Object.keys(options)) {
    if (option.toLowerCase() !== OPTION) {
      throw new InvalidArgumentError(
        `Storage option "${option}" is unknown: btrfs knows "${OPTION}"`,
      )
    }
  }
  const [text] = Object.values(options)
  if (text === undefined) return undefined
  const bytes = parseSize(text)
  if (bytes < smallest) {
    throw new InvalidArgumentError(
      `Size "${text}" is too small: the least is ${smallest} bytes`,
    )
  }
  return bytes
}
