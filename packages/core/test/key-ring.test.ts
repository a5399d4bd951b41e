import { randomBytes } from 'node:crypto'
import { type EncryptionKey, type EncryptOptions, encryptionBytes, KeyRing } from '@stepladder/core'
import { expect, test } from 'vitest'

const one: EncryptionKey = { id: 'one', key: Buffer.alloc(32, 1) }
const two: EncryptionKey = { id: 'two', key: Buffer.alloc(32, 2).toString('base64') }
const here = Buffer.from('users:7')

function ringOf(...keys: EncryptionKey[]): KeyRing {
  return new KeyRing('test', { keys })
}

function sealedBy(ring: KeyRing, value: string | Buffer, place = here): Buffer {
  const sealed = Buffer.alloc(Buffer.byteLength(value) + encryptionBytes)
  ring.seal(sealed, value, place)
  return sealed
}

test('what is sealed opens again, as text or bytes, and no two seals are alike', () => {
  const ring = ringOf(one)
  for (const value of ['', 'é😀 of Ada', randomBytes(70_000)]) {
    const [first, second] = [sealedBy(ring, value), sealedBy(ring, value)]
    expect(first.equals(second)).toBe(false)
    expect(ring.open('one', first, here).equals(Buffer.from(value))).toBe(true)
    expect(first.includes('Ada')).toBe(false)
  }
})

test('the first key writes, all read, and each knows what it has', () => {
  const sealed = sealedBy(ringOf(one), 'Ada')
  const ring = ringOf(two, one)

  expect(ring.keyId).toBe('two')
  expect([ring.knows('one'), ring.knows('three')]).toEqual([true, false])
  expect(ring.open('one', sealed, here).toString()).toBe('Ada')
  expect(() => ring.open('two', sealed, here)).toThrow()
  expect(() => ring.open('three', sealed, here)).toThrow('no key "three"')
})

test('nothing opens that was changed, shortened, prolonged or moved', () => {
  const ring = ringOf(one)
  const sealed = sealedBy(ring, 'Ada')
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    expect(() => ring.open('one', changed, here)).toThrow()
    expect(() => ring.open('one', sealed.subarray(0, at), here)).toThrow()
  }
  expect(() => ring.open('one', Buffer.concat([sealed, Buffer.alloc(1)]), here)).toThrow()
  expect(() => ring.open('one', sealed, Buffer.from('users:8'))).toThrow()
})

test.each<[string, unknown]>([
  ['encrypt', 'a passphrase that somebody made up'],
  ['encrypt.keys', { keys: [] }],
  ['encrypt.keys', { keys: 'a passphrase that somebody made up' }],
  ['encrypt.keys[0].key', { keys: [{ id: 'a', key: 'a passphrase that somebody made up' }] }],
  ['encrypt.keys[0].id', { keys: [null] }],
  ['encrypt.keys[1].id', { keys: [one, one] }],
  ['encrypt.acceptPlain', { keys: [one], acceptPlain: 'false' }],
  ['key', { key: one.key }],
])('a wrong option %s is named, and no key is told', (option, options) => {
  const construct = () => new KeyRing('test', options as EncryptOptions) // wrong on purpose
  expect(construct).toThrow(expect.objectContaining({ option }))
  expect(construct).not.toThrow('passphrase')
})
