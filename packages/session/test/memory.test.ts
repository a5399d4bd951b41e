import { FakeClock } from '@stepladder/core/testing'
import { MemorySessionBackend } from '@stepladder/session'
import { expect, test } from 'vitest'

test('a full memory lets go of the sessions that rested longest, and says so', async () => {
  const evicted: string[] = []
  const backend = new MemorySessionBackend({ maxCharacters: 1_000, onEvict: (id) => evicted.push(id) })
  for (let n = 0; n < 10; n++) await backend.put(`id${n}`, 'x'.repeat(100), 60_000)
  await backend.touch('id0', 60_000)

  await backend.put('id10', 'x'.repeat(100), 60_000)

  expect(evicted).toEqual(['id1', 'id2'])
  expect(await backend.get('id0')).toBeDefined()
  expect(await backend.length()).toBe(9)
})

test('sessions whose time is over make room before any other goes', async () => {
  const evicted: string[] = []
  const clock = new FakeClock()
  const onEvict = (id: string) => evicted.push(id)
  const backend = new MemorySessionBackend({ maxCharacters: 1_000, onEvict, clock })
  await backend.put('lasting', 'x'.repeat(100), 60_000)
  for (let n = 0; n < 9; n++) await backend.put(`id${n}`, 'x'.repeat(100), 1_000)

  await clock.advance(1_000)
  await backend.put('one more', 'x'.repeat(100), 60_000)

  expect(evicted).toEqual([])
  expect(await backend.length()).toBe(2)
})
