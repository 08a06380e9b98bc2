const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes for people: three digits at least, and the unit. */
export function formatBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  // What would be rounded to 1024 of a unit is one of the next.
  while (amount >= 1023.5 && unit < UNITS.length - 1) {
    amount /= 1024
    unit += 1
  }
  const digits = unit === 0 || amount >= 99.95 ? 0 : 1
  return `${amount.toFixed(digits)} ${UNITS[unit]}`
}

/** A number of things: `1 volume`, `2 volumes`. */
export function formatCount(
  count: number,
  thing: string,
  things: string = `${thing}s`,
): string {
  return `${count} ${count === 1 ? thing : things}`
}

/** A time as people here have it: `2026-11-21 23:40`. */
export function formatTime(time: string): string {
  const at = new Date(time)
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()]
  const hour = [at.getHours(), at.getMinutes()]
  return `${day.map(twoDigits).join('-')} ${hour.map(twoDigits).join(':')}`
}

/** Seconds as a clock has them: `1:02:03`, `2:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60)]
  const rest = twoDigits(whole % 60)
  if (hours === 0) return `${minutes}:${rest}`
  return `${hours}:${twoDigits(minutes % 60)}:${rest}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
