import { z } from 'zod'

/** The name of a store, volume or snapshot: one segment of a path, never a way out. */
export const nameSchema = z
  .string()
  .max(255)
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
    'must be letters, digits, "_", "." and "-", and begin with a letter or a digit',
  )

export const timeSchema = z.iso
  .datetime({ offset: true })
  .meta({ description: 'RFC 3339' })

export const byteCountSchema = z
  .number()
  .int()
  .nonnegative()
  .meta({ description: 'Bytes' })

/** A capacity as people write it: `10GiB`, `1.5G`, or bytes. */
export const capacityTextSchema = z
  .string()
  .min(1)
  .meta({ description: 'Bytes, or a number with KB…PB or KiB…PiB' })

/** What such a text comes to in bytes. */
export { parseCapacity as capacityBytes } from '../../volume/capacity.ts'

/** Who holds something mounted, as Docker's mount ids know them. */
export const holderSchema = z.object({
  id: z.string(),
  holds: z.number().int().positive(),
})

/** Volume options as they are typed after `-o`. */
export const typedOptionsSchema = z.record(z.string(), z.string())

/** A switch in a query string. */
export const flagSchema = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')

/** A list in a query string: the parameter once for each. */
export const listSchema = z
  .union([z.string(), z.array(z.string())])
  .default([])
  .transform((given) => (typeof given === 'string' ? [given] : given))
