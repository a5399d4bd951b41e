import { crc32 } from 'node:zlib'

/** How many bytes it takes at the end of a record. */
export const checksumBytes = 4

/** What CRC-32 makes of any bytes that are followed by their own CRC-32, whatever they are. */
const residue = 0x2144df1c

/**
 * A CRC-32 over the record's key and all that stands before it: it tells a record that was damaged, cut, or read
 * under another key than it was written for, as when a client mixes up its answers. Accidents, not attacks.
 */
export class Checksum {
  readonly #seed: number

  constructor(scope: string) {
    this.#seed = crc32(scope)
  }

  /** Writes it to the last bytes. */
  seal(record: Buffer, key: string): void {
    const end = record.length - checksumBytes
    record.writeUInt32LE(crc32(record.subarray(0, end), crc32(key, this.#seed)), end)
  }

  isRight(record: Buffer, key: string): boolean {
    return crc32(record, crc32(key, this.#seed)) === residue
  }
}
