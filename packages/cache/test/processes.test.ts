import { sleep } from '@stepladder/core'
import { keyPrefix, type SharedRedis, sharedRedis } from '@stepladder/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ReaderProcess } from './reader-process.ts'

let redis: SharedRedis
let one: ReaderProcess
let two: ReaderProcess
beforeAll(async () => {
  redis = await sharedRedis()
  const name = keyPrefix('processes')
  ;[one, two] = await Promise.all([
    ReaderProcess.start(redis.url, name),
    ReaderProcess.start(redis.url, name),
  ])
})
afterAll(async () => {
  await Promise.all([one.kill(), two.kill()])
})

test('a cold key that a thousand callers in each of two processes want is loaded once', async () => {
  const order = { key: 'cold', row: 'value', loadMs: 300, callers: 1_000 }
  const replies = await Promise.all([one.read(order), two.read(order)])
  expect(replies.map(({ served }) => served)).toEqual([['value'], ['value']])
  expect(replies[0]!.loads + replies[1]!.loads).toBe(1)
})

test('a load slower than its lease is still the only one', async () => {
  const before =
    (await one.read({ key: 'cold', row: '' })).loads + (await two.read({ key: 'cold', row: '' })).loads
  const order = { key: 'slow', row: 'value', loadMs: 2_500, callers: 10 }
  const replies = await Promise.all([one.read(order), two.read(order)])
  expect(replies.map(({ served }) => served)).toEqual([['value'], ['value']])
  expect(replies[0]!.loads + replies[1]!.loads - before).toBe(1)
})

test('an invalidation reaches the memory of another process within a second', async () => {
  await one.read({ key: 'shared', row: 'old' })
  await two.read({ key: 'shared', row: 'old' })
  expect((await two.read({ key: 'shared', row: 'new' })).served).toEqual(['old'])

  expect((await one.invalidate('shared')).served).toEqual(['done'])
  const startedAt = performance.now()
  while ((await two.read({ key: 'shared', row: 'new' })).served[0] === 'old') {
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  }
})

test('when the process that loads is killed, those who wait for it load in its place', async () => {
  const name = keyPrefix('killed')
  const [doomed, heir] = await Promise.all([
    ReaderProcess.start(redis.url, name),
    ReaderProcess.start(redis.url, name),
  ])
  doomed.read({ key: 'key', row: 'never', loadMs: 60_000 })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const waiting = heir.read({ key: 'key', row: 'value' })
  await doomed.kill()
  const startedAt = performance.now()
  expect((await waiting).served).toEqual(['value'])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  await heir.kill()
})

test('a load that another process overtook by invalidating is handed to who asked before, and to nobody after', async () => {
  const slow = one.read({ key: 'overtaken', row: 'old', loadMs: 1_200 })
  await sleep(300)
  expect((await two.invalidate('overtaken')).served).toEqual(['done'])
  expect((await two.read({ key: 'overtaken', row: 'new' })).served).toEqual(['new'])
  expect((await slow).served).toEqual(['old'])
  expect((await one.read({ key: 'overtaken', row: 'new' })).served).toEqual(['new'])
})

test('a process that was stopped, and runs again, serves nothing that was invalidated meanwhile', async () => {
  await one.read({ key: 'stopped', row: 'old' })
  await two.read({ key: 'stopped', row: 'old' })
  two.freeze()
  expect((await one.invalidate('stopped')).served).toEqual(['done'])
  await sleep(1_500)
  // It stands in its way when it wakes up, before anything that it may have heard.
  const answer = two.read({ key: 'stopped', row: 'new' })
  two.thaw()
  expect((await answer).served).toEqual(['new'])
})

test('four processes: a cold key is loaded once, and an invalidation by one reaches the others within a second', async () => {
  const name = keyPrefix('four')
  const starting = Array.from({ length: 4 }, () => ReaderProcess.start(redis.url, name))
  const processes = await Promise.all(starting)
  const all = (row: string, loadMs = 0, callers = 1) =>
    Promise.all(processes.map((reader) => reader.read({ key: 'key', row, loadMs, callers })))

  const cold = await all('old', 300, 1_000)
  expect(cold.map(({ served }) => served)).toEqual([['old'], ['old'], ['old'], ['old']])
  expect(cold.reduce((sum, { loads }) => sum + loads, 0)).toBe(1)

  expect((await processes[0]!.invalidate('key')).served).toEqual(['done'])
  await sleep(1_000)
  const later = await all('new')
  expect(later.map(({ served }) => served)).toEqual([['new'], ['new'], ['new'], ['new']])
  await Promise.all(processes.map((reader) => reader.kill()))
})
