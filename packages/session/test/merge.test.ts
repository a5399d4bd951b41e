import { sessionStore } from '@stepladder/session'
import { describe, expect, test } from 'vitest'

type Fields = Record<string, unknown>
interface Session {
  cookie: object
  data: Fields
}

/** Two requests begin with `base`; one leaves `first` and then the other `second`. What is stored then? */
async function storedAfter(base: Fields, first: Fields, second: Fields): Promise<Fields | undefined> {
  const store = sessionStore()
  await store.set('ada', { cookie: {}, data: base } as Session)
  const [one, two] = [await store.get<Session>('ada'), await store.get<Session>('ada')]
  one!.data = first
  two!.data = second
  await store.set('ada', one!)
  await store.set('ada', two!)
  return (await store.get<Session>('ada'))?.data
}

describe('of two requests that begin with the same session', () => {
  test.each<[string, Fields, Fields, Fields, Fields]>([
    ['new fields are both kept', {}, { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['changed fields are both kept', { a: 0, b: 0 }, { a: 1, b: 0 }, { a: 0, b: 2 }, { a: 1, b: 2 }],
    ['a removed field stays removed', { a: 0, b: 0 }, { b: 0 }, { a: 0, b: 2 }, { b: 2 }],
    ['the same field keeps the last commit', { a: 0 }, { a: 1 }, { a: 2 }, { a: 2 }],
    ['a field that the last one removes is removed', { a: 0 }, { a: 1 }, {}, {}],
    [
      'nested fields are both kept',
      { o: { p: {} } },
      { o: { p: { a: 1 } } },
      { o: { p: { b: 2 } } },
      { o: { p: { a: 1, b: 2 } } },
    ],
    ['an object that both begin is one object', {}, { o: { a: 1 } }, { o: { b: 2 } }, { o: { a: 1, b: 2 } }],
    ['an array is one value', { l: [0] }, { l: [0, 1] }, { l: [0, 2] }, { l: [0, 2] }],
    ['an unchanged array is not touched', { l: [0] }, { l: [0, 1] }, { l: [0], b: 2 }, { l: [0, 1], b: 2 }],
    ['null counts as a value', { a: 1 }, { a: null }, { a: 1, b: 2 }, { a: null, b: 2 }],
    ['a removed object takes changes inside it along', { u: { n: 1 } }, {}, { u: { n: 1, seen: 9 } }, {}],
    ['and does so when it is removed last', { u: { n: 1 } }, { u: { n: 1, seen: 9 } }, {}, {}],
    ['an object set to null stays null', { u: { n: 1 } }, { u: null }, { u: { n: 2 } }, { u: null }],
    ['what replaces a value by an object stays', { a: 1 }, { a: 2 }, { a: { n: 1 } }, { a: { n: 1 } }],
  ])('%s', async (_, base, first, second, expected) => {
    expect(await storedAfter(base, first, second)).toEqual(expected)
  })
})

test('a request that saves twice writes only what it changed since it saved', async () => {
  const store = sessionStore()
  await store.set('ada', { cookie: {}, data: { a: 0 } } as Session)
  const [one, two] = [await store.get<Session>('ada'), await store.get<Session>('ada')]

  one!.data = { a: 1 }
  await store.set('ada', one!)
  two!.data = { a: 2 }
  await store.set('ada', two!)
  one!.data = { a: 1, b: 1 }
  await store.set('ada', one!)

  expect((await store.get<Session>('ada'))?.data).toEqual({ a: 2, b: 1 })
})
