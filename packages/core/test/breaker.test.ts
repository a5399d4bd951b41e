import { BreakerOpenError, opossumBreaker, sleep } from '@stepladder/core'
import { expect, test } from 'vitest'

test('repeated failures open it, calls are refused at once, and it closes after a rest', async () => {
  const breaker = opossumBreaker({ name: 'redis', minCalls: 3, restMs: 50 })
  let asked = 0
  let isDown = true
  const ask = () =>
    breaker.run(async () => {
      asked++
      if (isDown) throw new Error('down')
      return 'up'
    })
  for (let call = 0; call < 3; call++) await expect(ask()).rejects.toThrow('down')
  expect(breaker.isOpen).toBe(true)

  await expect(ask()).rejects.toBeInstanceOf(BreakerOpenError)
  expect(asked).toBe(3)

  isDown = false
  await sleep(80)
  expect(await ask()).toBe('up')
  expect(breaker.isOpen).toBe(false)
})
