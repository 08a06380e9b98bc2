import * as fs from 'node:fs/promises'

/** A fenced block of a page. */
export interface Block {
  /** What follows the fence: `sh`, `console`, `yaml`. */
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page, in its order. */
export async function blocksOf(page: string): Promise<readonly Block[]> {
  const text = await fs.readFile(page, 'utf8')
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', block = '']) => ({ language, text: block }),
  )
}

/** A command of a recorded session, with what it said. */
export interface Said {
  readonly command: string
  readonly output: string
}

/** The commands of a `console` block. */
export function session(text: string): readonly Said[] {
  return text
    .split(/^\$ /m)
    .filter((part) => part !== '')
    .map((part) => {
      const [command = '', ...output] = part.trimEnd().split('\n')
      return { command, output: output.join('\n') }
    })
}
