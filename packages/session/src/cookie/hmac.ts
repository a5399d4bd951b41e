import { hash } from 'node:crypto'

const blockBytes = 64

/**
 * HMAC-SHA256 (RFC 2104) of short texts under one key. By two one-shot hashes: an object of `createHmac` has a native
 * half that the garbage collector has to look after, which costs a request more than the digest does.
 */
export class Hmac {
  /** The key, in the two forms that stand before what is hashed, and room for it behind them. */
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(key: string) {
    const bytes = Buffer.from(key)
    const block = Buffer.alloc(blockBytes)
    const short = bytes.length > blockBytes ? hash('sha256', bytes, 'buffer') : bytes
    short.copy(block)
    this.#inner = Buffer.alloc(blockBytes + mostTextBytes)
    this.#outer = Buffer.alloc(blockBytes + 32)
    for (const [at, byte] of block.entries()) {
      this.#inner[at] = byte ^ 0x36
      this.#outer[at] = byte ^ 0x5c
    }
  }

  /** Throws a `RangeError` for a text of more than 1,024 bytes. */
  digest(text: string): Buffer {
    const length = Buffer.byteLength(text)
    if (length > mostTextBytes) throw new RangeError(`${length} bytes are more than ${mostTextBytes}`)
    this.#inner.write(text, blockBytes)
    hash('sha256', this.#inner.subarray(0, blockBytes + length), 'buffer').copy(this.#outer, blockBytes)
    return hash('sha256', this.#outer, 'buffer')
  }
}

const mostTextBytes = 1_024
