import { mark } from './mark.ts'
import { start } from './marks.ts'
import { isPlain } from './plain.ts'
import { revive } from './revive.ts'
import type { ValueCodec } from './value-codec.ts'

/**
 * JSON, and marks for dates, maps, sets, BigInt, bytes, NaN and their like, which come back as they were. Whatever
 * else JSON would lose or change is refused. A value without any of those is plain JSON, and costs no more.
 */
export const jsonCodec: ValueCodec = {
  id: 'json',

  encode: (value) => (isPlain(value) ? JSON.stringify(value) : start + JSON.stringify(mark(value))),

  decode(bytes) {
    const text = bytes.toString()
    return text.startsWith(start) ? revive(JSON.parse(text.slice(start.length))) : JSON.parse(text)
  },
}
