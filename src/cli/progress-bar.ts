import { formatBytes, formatSeconds } from './amounts.ts'
import type { Terminal } from './terminal.ts'

/** Drawn no more often than this: who looks sees no more. */
const PAUSE = 100

const LONGEST_BAR = 24
const SHORTEST_BAR = 10

export interface Progress {
  readonly done: number
  /** Absent while it is not known. */
  readonly total?: number | undefined
  readonly unit: 'bytes' | 'entries' | 'steps'
}

/**
 * How far long work is, on one line that is drawn again and again. In a pipe or a
 * file nothing is drawn at all.
 */
export class ProgressBar {
  readonly #label: string
  readonly #terminal: Terminal
  readonly #began = performance.now()
  #drawnAt = -Infinity
  #isDrawn = false

  constructor(label: string, terminal: Terminal) {
    this.#label = label
    this.#terminal = terminal
  }

  show(progress: Progress): void {
    if (!this.#terminal.isInteractive) return
    const now = performance.now()
    if (now - this.#drawnAt < PAUSE) return
    this.#drawnAt = now
    this.#draw(progress)
  }

  /** Draws the end of the work, and leaves the line. */
  finish(progress: Progress): void {
    if (!this.#terminal.isInteractive) return
    this.#draw(progress)
    this.#terminal.complain('\n')
    this.#isDrawn = false
  }

  /** Takes the line away, so that a message can stand there. */
  clear(): void {
    if (this.#isDrawn) this.#terminal.complain('\r\u001B[K')
    this.#isDrawn = false
  }

  #draw(progress: Progress): void {
    const seconds = (performance.now() - this.#began) / 1000
    const line = progressLine(this.#label, progress, {
      seconds,
      width: this.#terminal.width - 1,
    })
    this.#terminal.complain(`\r${line}\u001B[K`)
    this.#isDrawn = true
  }
}

/** One line of at most `width` columns: the label gives way first, then the bar. */
export function progressLine(
  label: string,
  { done, total, unit }: Progress,
  { seconds, width }: { readonly seconds: number; readonly width: number },
): string {
  const amount = unit === 'bytes' ? formatBytes : String
  const pace = seconds < 0.5 ? 0 : done / seconds
  const parts = [
    total === undefined ? amount(done) : `${amount(done)} of ${amount(total)}`,
    unit === 'bytes' && pace > 0 ? `${formatBytes(pace)}/s` : '',
    timeLeft(done, total, pace),
  ].filter(Boolean)
  const figures = parts.join('  ')
  if (total === undefined) return clipped(`${label}  ${figures}`, width)
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const room = width - figures.length - percent.length - 6
  const name = clipped(label, Math.max(8, room - SHORTEST_BAR))
  const bar = barOf(share, Math.min(LONGEST_BAR, room - name.length))
  return clipped(`${name}  ${bar} ${percent}  ${figures}`, width)
}

function timeLeft(
  done: number,
  total: number | undefined,
  pace: number,
): string {
  if (total === undefined || pace === 0 || done >= total) return ''
  return `${formatSeconds((total - done) / pace)} left`
}

function barOf(share: number, width: number): string {
  if (width < 4) return ''
  const full = Math.round(share * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

function clipped(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
