import { InvalidArgumentError } from '../../base/errors.ts'

/**
 * The least that a layer may be allowed to add. Every layer has 16 KiB of its own
 * before anything is in it, and making a file reserves some more.
 */
export const SMALLEST_SIZE = 1024 * 1024

const OPTION = 'size'
const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i
const UNITS = ['', 'k', 'm', 'g', 't', 'p']

/**
 * The bytes that the option `size` allows a container to add to its image, or
 * `undefined` where it is not given. Units are binary, as everywhere in Docker.
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

/** @throws InvalidArgumentError */
export function parseSize(text: string): number {
  const [, number = '', unit = ''] = SIZE.exec(text.trim()) ?? []
  const bytes = Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase())
  if (number !== '' && Number.isSafeInteger(Math.round(bytes))) {
    return Math.round(bytes)
  }
  throw new InvalidArgumentError(
    `Size "${text}" is not a size: it should be like "20M" or "1.5G"`,
  )
}
