import type { Request } from 'express'
import { messageOf } from '../base/errors.ts'
import { redactedText } from '../diagnosis/redaction.ts'
import { currentRequestId } from '../base/request-id.ts'
import { peerCredentials } from '../linux/peer-credentials.ts'
import type { ChangeEvent } from '../operations/change-event.ts'
import { codeOf } from './failure-of.ts'

interface Recorded {
  readonly work: () => Promise<unknown>
  readonly record: (event: ChangeEvent) => Promise<void>
}

/** Does the work, and has it written down whichever way it ends. */
export async function recorded(
  operation: string,
  request: Request,
  { work, record }: Recorded,
): Promise<unknown> {
  const began = performance.now()
  const caller = peerCredentials(request.socket)
  const event = (
    outcome: Pick<ChangeEvent, 'result' | 'code' | 'message'>,
  ): ChangeEvent => ({
    time: new Date().toISOString(),
    operation,
    // Who types a secret where none belongs does not find it here.
    subject: redactedText(subjectOf(request)),
    ...outcome,
    ...(caller === undefined ? {} : { caller }),
    front: 'admin',
    request: currentRequestId() ?? '',
    milliseconds: Math.round(performance.now() - began),
  })
  try {
    const answer = await work()
    await record(event({ result: 'done' }))
    return answer
  } catch (error) {
    const code = codeOf(error)
    const result = code === 'internal' ? 'failed' : 'refused'
    const message = redactedText(messageOf(error))
    await record(event({ result, code, message }))
    throw error
  }
}

/** The name that the request is about, and the one that comes of it. */
function subjectOf({ params, body }: Request): string {
  const [name = wordIn(body, 'name') || wordIn(body, 'spec'), ...below] =
    Object.values(params).map(String)
  const to = wordIn(body, 'to')
  return [name, ...below].join('@') + (to === '' ? '' : ` to ${to}`)
}

function wordIn(body: unknown, field: string): string {
  if (typeof body !== 'object' || body === null) return ''
  const word: unknown = Reflect.get(body, field)
  return typeof word === 'string' ? word : ''
}
