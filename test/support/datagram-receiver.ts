import { closeSync } from 'node:fs'
import { declare } from '../../src/linux/libc.ts'

const AF_UNIX = 1
const SOCK_DGRAM = 2
const MSG_PEEK = 0x2
const MSG_DONTWAIT = 0x40

const socket = declare('socket', ['int', 'int', 'int'])
const bind = declare('bind', ['int', 'const void *', 'unsigned int'])
const recv = declare('recv', ['int', 'void *', 'size_t', 'int'], 'long')

/** Listens where NOTIFY_SOCKET points, as systemd does. */
export class DatagramReceiver implements Disposable {
  readonly #descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)

  /** @param address A path, or an abstract name that begins with a NUL. */
  constructor(address: string) {
    const bytes = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(address)])
    bind(this.#descriptor, bytes, bytes.length)
  }

  /** Whether there is a message. */
  get isTold(): boolean {
    const byte = Buffer.alloc(1)
    const flags = MSG_PEEK | MSG_DONTWAIT
    return recv.attempt(this.#descriptor, byte, byte.length, flags) >= 0
  }

  /** The next message, which must be there already. */
  receive(): string {
    const bytes = Buffer.alloc(4096)
    const length = recv(this.#descriptor, bytes, bytes.length, MSG_DONTWAIT)
    return bytes.toString('utf8', 0, length)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}
