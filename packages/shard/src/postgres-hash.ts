/** A hash of 64 bits as two unsigned numbers of 32 bits. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/**
 * The number that Postgres gives for `hashtextextended(text, 0)`, on a little-endian server and under any
 * deterministic collation. Postgres partitions tables by it, so it does not change between versions.
 */
export function hashTextExtended(text: string): bigint {
  return toInt64(hashText(text))
}

/** The number that Postgres gives for `hashint8extended(value, 0)`; `value` is taken modulo 2 ** 64. */
export function hashInt8Extended(value: bigint): bigint {
  return toInt64(hashBigint(value))
}

function toInt64({ high, low }: Hash64): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
}

const encoder = new TextEncoder()
// Reused, since hashing a short key should cost less than making a buffer for it.
const scratch = new Uint8Array(768)

export function hashText(text: string): Hash64 {
  // A UTF-16 unit becomes at most three bytes.
  if (text.length * 3 > scratch.length) return hashBytes(encoder.encode(text))
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return hashBytes(scratch, encoder.encodeInto(text, scratch).written)
    scratch[at] = unit
  }
  return hashBytes(scratch, text.length)
}

/** As Postgres does, values that fit 32 bits hash like the smaller integer type. */
export function hashBigint(value: bigint): Hash64 {
  return hashWords(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)))
}

/** `hashBigint` for a safe integer, without making a bigint of it. */
export function hashInteger(value: number): Hash64 {
  return hashWords(Math.floor(value / 2 ** 32) | 0, value | 0)
}

function hashWords(high: number, low: number): Hash64 {
  const start = startOf(4)
  return finish((start + (low ^ (high < 0 ? ~high : high))) | 0, start, start)
}

/** Bob Jenkins' lookup3 (2006), in the words and the order of Postgres' `hash_bytes_extended`, seed 0. */
function hashBytes(bytes: Uint8Array, length: number = bytes.length): Hash64 {
  let a = startOf(length)
  let b = a
  let c = a
  let at = 0
  for (; at + 12 <= length; at += 12) {
    a = (a + wordAt(bytes, at)) | 0
    b = (b + wordAt(bytes, at + 4)) | 0
    c = (c + wordAt(bytes, at + 8)) | 0
    a = (a - c) ^ rotate(c, 4)
    c = (c + b) | 0
    b = (b - a) ^ rotate(a, 6)
    a = (a + c) | 0
    c = (c - b) ^ rotate(b, 8)
    b = (b + a) | 0
    a = (a - c) ^ rotate(c, 16)
    c = (c + b) | 0
    b = (b - a) ^ rotate(a, 19)
    a = (a + c) | 0
    c = (c - b) ^ rotate(b, 4)
    b = (b + a) | 0
  }
  for (let left = 0; at + left < length; left++) {
    const byte = bytes[at + left]!
    if (left < 4) a = (a + (byte << (8 * left))) | 0
    else if (left < 8) b = (b + (byte << (8 * (left - 4)))) | 0
    // The lowest byte of c stays free: it stands for the length.
    else c = (c + (byte << (8 * (left - 7)))) | 0
  }
  return finish(a, b, c)
}

function startOf(length: number): number {
  return (0x9e3779b9 + length + 3923095) | 0
}

function finish(a: number, b: number, c: number): Hash64 {
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return { high: b >>> 0, low: c >>> 0 }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
