import { InvalidArgumentError } from '../base/errors.ts'

const CAPACITY =
  /^(?<whole>\d+)(?:\.(?<part>\d{1,3}))?\s*(?:(?<unit>[kmgtp])(?<binary>i?))?b?$/i

const UNITS = ['', 'k', 'm', 'g', 't', 'p']

/**
 * The bytes that `text` stands for: a bare number is bytes, `10G` and `10GB` are
 * decimal, `10Gi` and `10GiB` binary, and `1.5G` may have three digits after the
 * point.
 *
 * @throws InvalidArgumentError for anything else, for nothing, and for more bytes
 *   than can be counted exactly.
 */
export function parseCapacity(text: string): number {
  const groups = CAPACITY.exec(text.trim())?.groups
  if (groups === undefined) {
    throw refusal(
      text,
      'give bytes, or a number with KB, MB, GB, TB, PB, KiB, MiB, GiB, TiB or PiB',
    )
  }
  const { whole = '', part = '', unit = '', binary = '' } = groups
  const base = binary === '' ? 1000n : 1024n
  const scale = base ** BigInt(UNITS.indexOf(unit.toLowerCase()))
  const thousandths = BigInt(whole + part.padEnd(3, '0')) * scale
  const bytes = Number(thousandths / 1000n)

  if (part !== '' && thousandths % 1000n !== 0n) {
    throw refusal(text, 'it is not a whole number of bytes')
  }
  if (bytes === 0) throw refusal(text, 'it must be more than nothing')
  if (!Number.isSafeInteger(bytes)) {
    throw refusal(text, `the most is ${Number.MAX_SAFE_INTEGER} bytes`)
  }
  return bytes
}

function refusal(text: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`Capacity "${text}" is not valid: ${reason}`)
}
