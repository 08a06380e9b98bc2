import { expect } from 'chai'
import {
  errorOfKind,
  isErrno,
  messageOf,
  NotFoundError,
  NotSupportedError,
  StowageError,
} from '../../src/base/errors.ts'

describe('StowageError', () => {
  it('is named after its class and tells its kind', () => {
    const error = new NotFoundError('Layer "a" does not exist')
    expect(error.name).to.equal('NotFoundError')
    expect(error.kind).to.equal('not-found')
  })
})

describe('isErrno', () => {
  it('tells system errors by their code', () => {
    const error = Object.assign(new Error('gone'), { code: 'ENOENT' })
    expect(isErrno(error, 'EEXIST', 'ENOENT')).to.equal(true)
    expect(isErrno(error, 'EEXIST')).to.equal(false)
    expect(isErrno(new Error('plain'), 'ENOENT')).to.equal(false)
    expect(isErrno({ code: 'ENOENT' }, 'ENOENT')).to.equal(false)
  })
})

describe('messageOf', () => {
  it('tells the text of errors and of whatever else was thrown', () => {
    expect(messageOf(new Error('text'))).to.equal('text')
    expect(messageOf('text')).to.equal('text')
  })
})

describe('errorOfKind', () => {
  it('makes the error that callers branch on, of a kind that is only a name', () => {
    const error = errorOfKind('not-supported', 'Not here')
    expect(error).to.be.an.instanceOf(NotSupportedError)
    expect(error.message).to.equal('Not here')
    expect(errorOfKind('', 'plain')).to.not.be.an.instanceOf(StowageError)
  })
})
