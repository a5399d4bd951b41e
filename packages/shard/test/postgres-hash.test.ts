import { hashInt8Extended, hashTextExtended } from '@stepladder/shard'
import { expect, test } from 'vitest'

// What Postgres 15.18 answered.
const textHashes: [string, bigint][] = [
  ['', -6939563903564495251n],
  ['a', 3591986179850072241n],
  ['ada', 712994482754225845n],
  ['42', -2402356501652256834n],
  ['user:42', 8169282796211187818n],
  ['01890a5d-ac96-774b-bcce-b302099a8057', 2529665662281409595n],
  ['Zoë', 4022497667079498591n],
  ['漢字', 5510981731381295353n],
  ['🪜', 5921220906361068082n],
  ['x'.repeat(11), 1400674333645317569n],
  ['x'.repeat(12), -2459440608274261628n],
  ['x'.repeat(300), -5093180498473996086n],
]

const integerHashes: [bigint, bigint][] = [
  [0n, 4154612158245552303n],
  [1n, -3670598878359251130n],
  [42n, 8010225493015854792n],
  [-1n, -1888257769727981238n],
  [-42n, 8809670066178192187n],
  [4294967296n, -3670598878359251130n],
  [9007199254740991n, -4068522208523079843n],
  [9223372036854775807n, 1977219185673256887n],
  [-9223372036854775808n, -9109110466470504941n],
]

test.each(textHashes)('%j hashes as hashtextextended does', (text, hash) => {
  expect(hashTextExtended(text)).toBe(hash)
})

test.each(integerHashes)('%d hashes as hashint8extended does', (value, hash) => {
  expect(hashInt8Extended(value)).toBe(hash)
})
