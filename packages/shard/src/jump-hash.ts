import { InvalidOptionError } from '@stepladder/core'

// 2862933555777941757, the multiplier of the paper, in two halves: a bigint would cost five times as much.
const multiplierHigh = 0x27bb2ee6
const multiplierLow = 0x87b0b0fd

/**
 * Which of `count` places a key takes, from 0: jump consistent hash (Lamping and Veach, 2014), as in Guava.
 * From n to n + 1 places only 1 / (n + 1) of the keys move, all of them to the new place; only the last
 * place can be taken away. `key` is a hash, taken modulo 2 ** 64: `jumpHash(hashTextExtended('ada'), 8)`.
 */
export function jumpHash(key: bigint, count: number): number {
  if (!Number.isInteger(count) || count < 1 || count > 2 ** 31 - 1) {
    throw new InvalidOptionError('jumpHash', 'count', count, 'a whole number from 1 to 2147483647')
  }
  let high = Number(BigInt.asUintN(32, key >> 32n))
  let low = Number(BigInt.asUintN(32, key))
  let place = 0
  for (let next = 0; next < count; ) {
    place = next
    const carried = highOfProduct(low, multiplierLow)
    high = (Math.imul(low, multiplierHigh) + Math.imul(high, multiplierLow) + carried) >>> 0
    low = Math.imul(low, multiplierLow) >>> 0
    // key * multiplier + 1: the product's low half is all ones once in 2 ** 32 times.
    low = (low + 1) >>> 0
    if (low === 0) high = (high + 1) >>> 0
    next = Math.floor((place + 1) * (2 ** 31 / ((high >>> 1) + 1)))
  }
  return place
}

/** The upper 32 bits of the product of two unsigned numbers of 32 bits. */
function highOfProduct(a: number, b: number): number {
  const aHigh = a >>> 16
  const aLow = a & 0xffff
  const bHigh = b >>> 16
  const bLow = b & 0xffff
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = (middle % 65_536) + aLow * bHigh
  return aHigh * bHigh + Math.floor(middle / 65_536) + Math.floor(carry / 65_536)
}
