import type { Readable } from 'node:stream'
import { isTurnOver, nextTurn } from './next-turn.ts'
import { startedStream } from './started-stream.ts'

/** Big enough that a slice costs little, small enough that a million items are no burden. */
const SLICE = 64 * 1024

/** What can be iterated is written as a list. */
type List = Iterable<unknown> | AsyncIterable<unknown>

/**
 * `value` as JSON, for an answer: in one piece if it is short, else as a stream that
 * is written while it is read. Lists, be they `value` itself or fields of it, are
 * written item by item, so that they hold up nobody else, however long they are.
 *
 * What fails before the first slice is full fails here, while an error can still be
 * answered. A reader who walks away ends the iteration.
 */
export function jsonAnswer(value: object): string | Promise<string | Readable> {
  return hasLists(value) ? answerInSlices(value) : JSON.stringify(value)
}

async function answerInSlices(value: object): Promise<string | Readable> {
  const slices = jsonSlices(value)
  const first = await slices.next()
  if (first.done === true) return first.value
  return startedStream(following(first.value, slices))
}

async function* following(
  first: string,
  slices: AsyncGenerator<string, string>,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield Buffer.from(first)
    let next = await slices.next()
    for (; next.done !== true; next = await slices.next()) {
      yield Buffer.from(next.value)
    }
    yield Buffer.from(next.value)
  } finally {
    await slices.return('')
  }
}

/** The last slice is what it returns. */
async function* jsonSlices(value: object): AsyncGenerator<string, string> {
  let text = ''
  for (const part of partsOf(value)) {
    if (typeof part === 'string') {
      text += part
      continue
    }
    let separator = '['
    for await (const item of part) {
      text += separator + JSON.stringify(item)
      separator = ','
      if (text.length >= SLICE) {
        yield text
        text = ''
      }
      if (isTurnOver()) await nextTurn()
    }
    text += separator === '[' ? '[]' : ']'
  }
  return text
}

/** The lists in `value`, and the JSON of all that is around them. */
function* partsOf(value: object): Generator<string | List, void> {
  if (isList(value)) {
    yield value
    return
  }
  let separator = '{'
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue
    yield `${separator}${JSON.stringify(name)}:`
    yield isList(field) ? field : JSON.stringify(field)
    separator = ','
  }
  yield '}'
}

function hasLists(value: object): boolean {
  return isList(value) || Object.values(value).some(isList)
}

function isList(value: unknown): value is List {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}
