import { createHmac } from 'node:crypto'
import { seededRandom } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { Hmac } from '../../src/cookie/hmac.ts'

test('digests are those of HMAC-SHA256, whatever key and text', () => {
  const random = seededRandom(1)
  const text = (most: number) =>
    Array.from({ length: Math.floor(random() * most) }, () => 'aé😀.'[Math.floor(random() * 5)]).join('')
  for (let time = 0; time < 500; time++) {
    const [key, message] = [text(100), text(200)]
    const right = createHmac('sha256', key).update(message).digest('hex')
    expect(new Hmac(key).digest(message).toString('hex')).toBe(right)
  }
})

test('a digest is not changed by those that come after it', () => {
  const hmac = new Hmac('key')
  const first = hmac.digest('first')
  hmac.digest('second')

  expect(first.toString('hex')).toBe(createHmac('sha256', 'key').update('first').digest('hex'))
})
