import { InvalidArgumentError } from '../base/errors.ts'

const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i
const UNITS = ['', 'k', 'm', 'g', 't', 'p']

/**
 * The bytes that a size among Docker's storage options stands for. Its units are
 * binary, be it `20M`, `20MB` or `20MiB`.
 *
 * @throws InvalidArgumentError for what is no size.
 */
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
