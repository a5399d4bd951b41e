import type { SessionBackend } from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'

/** A backend on a place of its own, empty at first. Called once per test. */
export type MakeSessionBackend = () => SessionBackend | Promise<SessionBackend>

const minuteMs = 60_000

/** What every `SessionBackend` promises, as vitest tests. Records expire by the real clock. */
export function testSessionBackend(name: string, make: MakeSessionBackend): void {
  describe(`${name} keeps the contract of SessionBackend`, () => {
    const opened: SessionBackend[] = []
    const open = async (): Promise<SessionBackend> => {
      const backend = await make()
      opened.push(backend)
      return backend
    }
    afterEach(async () => {
      for (const backend of opened.splice(0)) await backend.close()
    })

    testOneRecord(open)
    testReplace(open)
    testTime(open)
    testAllRecords(open)
  })
}

function testOneRecord(open: () => Promise<SessionBackend>): void {
  test('what was put is got, and nothing else is', async () => {
    const backend = await open()
    await backend.put('ada', '{"n":1}', minuteMs)
    await backend.put('ada', '{"n":2}', minuteMs)

    expect(await backend.get('ada')).toBe('{"n":2}')
    expect(await backend.get('Ada')).toBeUndefined()
  })

  test('any text under any id comes back to the letter', async () => {
    const backend = await open()
    const text = JSON.stringify({ text: '\u0000 \' " \\ % _ * é 😀 '.repeat(4_000) }).replaceAll(
      '\\u0000',
      '',
    )
    for (const id of ['a%b', 'a_b', 'a*b', "a'b", 'a:b', 'ü😀']) {
      await backend.put(id, text, minuteMs)
      expect(await backend.get(id)).toBe(text)
    }
    expect(await backend.length()).toBe(6)
  })

  test('what was destroyed is missing, and destroying what is missing is fine', async () => {
    const backend = await open()
    await backend.put('ada', '{}', minuteMs)
    await backend.destroy('ada')
    await backend.destroy('ada')

    expect(await backend.get('ada')).toBeUndefined()
    expect(await backend.touch('ada', minuteMs)).toBe(false)
    expect(await backend.replace('ada', '{}', '{"n":1}', minuteMs)).toEqual({ isDone: false })
    expect(await backend.get('ada')).toBeUndefined()
  })
}

function testReplace(open: () => Promise<SessionBackend>): void {
  test('replace writes over what was expected, and else tells what is there', async () => {
    const backend = await open()
    await backend.put('ada', '{"n":1}', minuteMs)

    expect(await backend.replace('ada', '{"n":1}', '{"n":2}', minuteMs)).toEqual({ isDone: true })
    expect(await backend.replace('ada', '{"n":1}', '{"n":3}', minuteMs)).toEqual({
      isDone: false,
      current: '{"n":2}',
    })
    expect(await backend.get('ada')).toBe('{"n":2}')
  })

  test('of many who expect the same, exactly one replaces', async () => {
    const backend = await open()
    await backend.put('ada', '{}', minuteMs)

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => backend.replace('ada', '{}', `{"n":${n}}`, minuteMs)),
    )

    const winners = answers.flatMap(({ isDone }, n) => (isDone ? [n] : []))
    expect(winners).toHaveLength(1)
    expect(await backend.get('ada')).toBe(`{"n":${winners[0]}}`)
  })
}

function testTime(open: () => Promise<SessionBackend>): void {
  test('a record is there until its time is over, to a few milliseconds', async () => {
    const backend = await open()
    await backend.put('ada', '{}', 150)
    await backend.put('bob', '{}', minuteMs)
    expect(await backend.get('ada')).toBe('{}')

    await pause(200)

    expect(await backend.get('ada')).toBeUndefined()
    expect(await backend.touch('ada', minuteMs)).toBe(false)
    expect(await backend.replace('ada', '{}', '{"n":1}', minuteMs)).toEqual({ isDone: false })
    expect(await backend.length()).toBe(1)
    expect([...(await backend.all()).keys()]).toEqual(['bob'])
  })

  test('touch and replace move the end, and put begins a new time', async () => {
    const backend = await open()
    for (const id of ['touched', 'replaced', 'put']) await backend.put(id, '{}', 300)

    expect(await backend.touch('touched', minuteMs)).toBe(true)
    await backend.replace('replaced', '{}', '{"n":1}', minuteMs)
    await backend.put('put', '{}', minuteMs)
    await pause(350)

    expect(await backend.get('touched')).toBe('{}')
    expect(await backend.get('replaced')).toBe('{"n":1}')
    expect(await backend.get('put')).toBe('{}')
  })

  test('an id whose time is over can be used again', async () => {
    const backend = await open()
    await backend.put('ada', '{}', 1)
    await pause(20)
    await backend.put('ada', '{"n":1}', minuteMs)

    expect(await backend.get('ada')).toBe('{"n":1}')
  })
}

function testAllRecords(open: () => Promise<SessionBackend>): void {
  test('all, length and clear mean every record', async () => {
    const backend = await open()
    expect((await backend.all()).size).toBe(0)
    const ids = Array.from({ length: 120 }, (_, n) => `id${n}`)
    await Promise.all(ids.map((id) => backend.put(id, `{"id":"${id}"}`, minuteMs)))

    expect(await backend.length()).toBe(120)
    expect(new Map(await backend.all())).toEqual(new Map(ids.map((id) => [id, `{"id":"${id}"}`])))

    await backend.clear()
    expect(await backend.length()).toBe(0)
    expect(await backend.get('id7')).toBeUndefined()
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
