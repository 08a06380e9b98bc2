import { randomUUID } from 'node:crypto'

/** What the mount ids of this program begin with; Docker's are hexadecimal. */
const OWN = 'transfer-'

/** Who holds a volume for one transfer. */
export function ownHolder(): string {
  return OWN + randomUUID()
}

export function isOwnHolder(holder: string): boolean {
  return holder.startsWith(OWN)
}
