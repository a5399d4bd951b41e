import { BreakerOpenError, opossumBreaker, sleep } from '@stepladder/core'
import { RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

test('repeated failures open it, calls are refused at once, and it closes after a rest', async () => {
  const breaker = opossumBreaker({ name: 'redis', minCalls: 3, restMs: 500 })
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
  await sleep(550)
  expect(await ask()).toBe('up')
  expect(breaker.isOpen).toBe(false)
})

test('each state is reported when it ends, with how long it lasted and why it opened', async () => {
  const { report, all } = new RecordedReports()
  const breaker = opossumBreaker({ name: 'redis', minCalls: 3, restMs: 50, report })
  const ask = (failure?: Error) => breaker.run(() => (failure ? Promise.reject(failure) : Promise.resolve()))
  const [down, stillDown] = [new Error('down'), new Error('still down')]
  for (let call = 0; call < 3; call++) await expect(ask(down)).rejects.toBe(down)
  await sleep(80)
  await expect(ask(stillDown)).rejects.toBe(stillDown)
  await sleep(80)
  await ask()
  expect(all.map(({ operation, outcome, cause }) => [operation, outcome, cause])).toEqual([
    ['closed', 'opened', down],
    ['open', 'half-open', undefined],
    ['half-open', 'opened', stillDown],
    ['open', 'half-open', undefined],
    ['half-open', 'closed', undefined],
  ])
  expect(all[1]).toMatchObject({ component: 'breaker', name: 'redis' })
  expect(all[1]!.ms).toBeGreaterThan(45)
})

test('closed, it is open no more and passes every call', async () => {
  const breaker = opossumBreaker({ name: 'redis', minCalls: 1 })
  await expect(breaker.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
  expect(breaker.isOpen).toBe(true)
  breaker.close()
  expect(breaker.isOpen).toBe(false)
  expect(await breaker.run(async () => 'passed')).toBe('passed')
})
