import { InvalidArgumentError } from '../../base/errors.ts'
import { readPaxNumber } from './header-numbers.ts'
import type { SparseRun } from './tar-entry.ts'

/**
 * What PAX headers say of a sparse file. GNU tar has had three ways: 0.0 writes
 * two records for each run, 0.1 one record with all runs, and 1.0 puts the runs
 * before the data, in text, and says so by its version.
 */
export interface SparseRecords {
  name?: Buffer
  size?: number
  isInData?: boolean
  runs?: SparseRun[]
  pendingOffset?: number | undefined
}

/** @throws InvalidArgumentError when the value is malformed. */
export function takeSparseRecord(
  sparse: SparseRecords,
  keyword: string,
  value: Buffer,
): void {
  const text = value.toString('latin1')
  switch (keyword) {
    case 'GNU.sparse.name':
      sparse.name = value
      break
    case 'GNU.sparse.size':
    case 'GNU.sparse.realsize':
      sparse.size = readPaxNumber(text)
      break
    case 'GNU.sparse.major':
      sparse.isInData = readPaxNumber(text) === 1
      break
    case 'GNU.sparse.offset':
      sparse.pendingOffset = readPaxNumber(text)
      break
    case 'GNU.sparse.numbytes':
      takeRun(sparse, readPaxNumber(text))
      break
    case 'GNU.sparse.map':
      sparse.runs = text === '' ? [] : pairs(text.split(',').map(readPaxNumber))
      break
    default:
    // The number of runs is told by the runs themselves.
  }
}

/** Numbers as runs: offset, length, offset, length. */
export function pairs(numbers: readonly number[]): SparseRun[] {
  const runs: SparseRun[] = []
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i], numbers[i + 1]]
    if (offset === undefined || length === undefined) throw malformed()
    runs.push({ offset, length })
  }
  return runs
}

/**
 * The runs that hold something, once they are known to lie in order and apart
 * within `size`, and to hold just the `stored` bytes of the archive.
 *
 * @throws InvalidArgumentError when they do not.
 */
export function checkedRuns(
  runs: readonly SparseRun[],
  size: number,
  stored: number,
): SparseRun[] {
  let end = 0
  let total = 0
  for (const { offset, length } of runs) {
    if (offset < end || offset + length > size) throw malformed()
    end = offset + length
    total += length
  }
  if (total !== stored) throw malformed()
  return runs.filter(({ length }) => length > 0)
}

function takeRun(sparse: SparseRecords, length: number): void {
  const offset = sparse.pendingOffset
  if (offset === undefined) throw malformed()
  sparse.pendingOffset = undefined
  ;(sparse.runs ??= []).push({ offset, length })
}

function malformed(): Error {
  return new InvalidArgumentError(
    'Not a tar: the map of a sparse file contradicts itself',
  )
}
