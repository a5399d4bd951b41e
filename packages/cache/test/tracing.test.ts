import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { createCache } from '@stepladder/cache'
import type { OperationTrace } from '@stepladder/core'
import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { expect, onTestFinished, test } from 'vitest'

test('a tracer hears of every read without a reporter, and what a read calls is inside it', async () => {
  const operations = tracingChannel<OperationTrace, string>('stepladder.operation')
  const paths = new AsyncLocalStorage<string>()
  const ended: (string | undefined)[] = []
  const hear = (message: unknown) => {
    // The channel carries nothing else.
    const { operation, outcome } = message as OperationTrace
    ended.push(`${operation} ${outcome}`)
  }
  operations.start.bindStore(paths, ({ operation }) => `${paths.getStore() ?? ''}/${operation}`)
  operations.asyncEnd.subscribe(hear)
  onTestFinished(() => {
    operations.start.unbindStore(paths)
    operations.asyncEnd.unsubscribe(hear)
  })

  const { url } = await sharedRedis()
  const cache = createCache({ name: keyPrefix('traced'), ttl: '1m', redis: url })
  onTestFinished(() => cache.close())
  const loadedIn = await cache.getOrSet('LH400', async () => paths.getStore())
  expect(await cache.get('LH400')).toBe(loadedIn)

  expect(loadedIn).toBe('/getOrSet')
  expect(paths.getStore()).toBeUndefined()
  expect(ended).toContain('store done')
  expect(ended).toContain('getOrSet loaded')
  expect(ended.at(-1)).toMatch(/^get (hit|fetched)$/)
})
