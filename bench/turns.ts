import { type Row, type Sample, type Samples, type Side, SIDES } from './row.ts'

/** One thing that both sides do, the other right after the one. */
export interface Turn<Player> {
  /** The line of the table that it fills; without one it prepares or clears up. */
  readonly row?: Row | undefined
  readonly play: (player: Player, side: Side) => Promise<Sample>
}

/**
 * Plays rounds of turns. Who begins changes from round to round. The first round
 * warms up and is not recorded.
 */
export async function takeTurns<Player>(
  players: Readonly<Record<Side, Player>>,
  rounds: number,
  samples: Samples,
  turns: (round: number) => readonly Turn<Player>[],
): Promise<void> {
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? SIDES : SIDES.toReversed()
    for (const { row, play } of turns(round)) {
      for (const side of order) {
        const taken = await play(players[side], side)
        if (row !== undefined && round > 0) samples.record(row, side, taken)
      }
    }
  }
}

/** How many seconds `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<Sample> {
  const start = performance.now()
  await work()
  return { value: (performance.now() - start) / 1000 }
}
