import { keepWarm } from '@stepladder/cache'
import { expect, test } from 'vitest'
import { ExpressApp } from './express-app.ts'
import { setUp } from './set-up.ts'

/** A row in a database, behind a cache that compares each hit with it. */
function setUpRow() {
  const { cache, clock, reports } = setUp({ audit: 1, ttl: '1m' })
  const source = { row: { price: 1 }, loads: 0, isDown: false }
  const read = () =>
    cache.getOrSet('row', async () => {
      source.loads += 1
      if (source.isDown) throw new Error('down')
      return { ...source.row }
    })
  return { cache, clock, reports, source, read }
}

test('a value that its source no longer has, and that is served for longer than the contract allows, is reported', async () => {
  const { clock, reports, source, read } = setUpRow()
  await read()
  source.row.price = 2
  await read()
  await clock.advance(1_500)
  expect(reports.outcomes('audit')).toEqual(['stale'])
})

test('control: one that was invalidated when it changed is not', async () => {
  const { cache, clock, reports, source, read } = setUpRow()
  await read()
  await read()
  await clock.advance(1)
  source.row.price = 2
  await read()
  await cache.invalidate({ keys: ['row'] })
  await clock.advance(1_500)
  await read()
  await read()
  await clock.advance(1)
  expect(reports.outcomes('audit')).toEqual(['same', 'changed', 'same'])
})

test('one look at a time, and a source that fails harms nobody', async () => {
  const { clock, reports, source, read } = setUpRow()
  await read()
  await Promise.all(Array.from({ length: 100 }, read))
  await clock.advance(1)
  expect(source.loads).toBe(2)
  source.isDown = true
  expect(await read()).toEqual({ price: 1 })
  await clock.advance(1)
  expect(reports.outcomes('audit')).toEqual(['same', 'failed'])
})

test('nothing is looked at unless it is asked for, and at most by the rate', async () => {
  const quiet = setUp()
  await quiet.cache.getOrSet('key', () => 1)
  await quiet.cache.getOrSet('key', () => expect.fail('nobody asked for it'))
  expect(() => setUp({ audit: 1.5 })).toThrow(/"audit"/)

  const { cache, clock, reports } = setUp({ audit: 0.01, ttl: '1h' })
  for (let hit = 0; hit < 5_000; hit++) {
    await cache.getOrSet('key', () => 1)
    await clock.advance(0)
  }
  expect(reports.outcomes('audit').length).toBeGreaterThan(15)
  expect(reports.outcomes('audit').length).toBeLessThan(110)
})

test('what only its own call could load is not compared: responses, and who keeps what warm', async () => {
  await using site = new ExpressApp({ audit: 1 })
  let runs = 0
  site.app.get('/', site.cached(), (_request, response) => void response.send(`run ${++runs}`))
  for (let time = 0; time < 3; time++) {
    expect((await site.ask('/')).body).toBe('run 1')
    await site.clock.advance(2_000)
  }
  const { cache, clock } = site
  const warming = keepWarm({ cache, clock, name: 'all', every: '1m', keys: ['a'], load: () => 1 })
  await clock.advance(30_000)
  await warming.close()
  expect(await cache.warm(['a', 'b'], { load: () => 1 })).toMatchObject({ loaded: 1, present: 1 })
  expect(site.reports.outcomes('audit')).toEqual([])
})
