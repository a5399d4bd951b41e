import { deepEqual, equal } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import type { Promises } from './promises.ts'

const minuteMs = 60_000
const gone = { isDone: false, current: undefined }

const oneRecord: Promises = {
  async 'what was put is got, and nothing else is'(backend) {
    await backend.put('ada', '{"n":1}', minuteMs)
    await backend.put('ada', '{"n":2}', minuteMs)

    equal(await backend.get('ada'), '{"n":2}')
    equal(await backend.get('Ada'), undefined)
  },

  async 'any text under any id comes back to the letter'(backend) {
    const text = JSON.stringify({ text: ' \' " \\ % _ * é 😀 '.repeat(4_000) })
    const ids = ['a%b', 'a_b', 'a*b', "a'b", 'a:b', 'ü😀']
    for (const id of ids) {
      await backend.put(id, text, minuteMs)
      equal(await backend.get(id), text)
    }
    equal(await backend.length(), ids.length)
  },

  async 'what was destroyed is missing, and destroying what is missing is fine'(backend) {
    await backend.put('ada', '{}', minuteMs)
    await backend.destroy('ada')
    await backend.destroy('ada')

    equal(await backend.get('ada'), undefined)
  },

  async 'what was destroyed is handed back, to one of all who destroy it'(backend) {
    await backend.put('ada', '{"n":1}', minuteMs)

    const ended = await Promise.all(Array.from({ length: 20 }, () => backend.destroy('ada')))

    deepEqual(
      ended.filter((text) => text !== undefined),
      ['{"n":1}'],
    )
  },

  async 'putNew writes where nothing is, and nowhere else'(backend) {
    equal(await backend.putNew('ada', '{"n":1}', minuteMs), true)
    equal(await backend.putNew('ada', '{"n":2}', minuteMs), false)
    equal(await backend.get('ada'), '{"n":1}')

    await backend.destroy('ada')
    equal(await backend.putNew('ada', '{"n":3}', minuteMs), true)
    equal(await backend.get('ada'), '{"n":3}')
  },

  async 'of many who put the same id anew, exactly one does'(backend) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => backend.putNew('ada', `{"n":${n}}`, minuteMs)),
    )

    const winners = answers.flatMap((isDone, n) => (isDone ? [n] : []))
    equal(winners.length, 1)
    equal(await backend.get('ada'), `{"n":${winners[0]}}`)
  },
}

const replacing: Promises = {
  async 'replace writes over what was expected, and else tells what is there'(backend) {
    await backend.put('ada', '{"n":1}', minuteMs)

    deepEqual(await backend.replace('ada', '{"n":1}', '{"n":2}', minuteMs), { isDone: true })
    const late = await backend.replace('ada', '{"n":1}', '{"n":3}', minuteMs)
    deepEqual(late, { isDone: false, current: '{"n":2}' })
    equal(await backend.get('ada'), '{"n":2}')
  },

  async 'of many who expect the same, exactly one replaces'(backend) {
    await backend.put('ada', '{}', minuteMs)

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => backend.replace('ada', '{}', `{"n":${n}}`, minuteMs)),
    )

    const winners = answers.flatMap(({ isDone }, n) => (isDone ? [n] : []))
    equal(winners.length, 1)
    equal(await backend.get('ada'), `{"n":${winners[0]}}`)
  },

  async 'neither replace nor touch brings back what was destroyed'(backend) {
    await backend.put('ada', '{}', minuteMs)
    await backend.destroy('ada')

    deepEqual(await backend.replace('ada', '{}', '{"n":1}', minuteMs), gone)
    equal(await backend.touch('ada', minuteMs), false)
    equal(await backend.get('ada'), undefined)
  },
}

const time: Promises = {
  async 'a record is there until its time is over, to a few milliseconds'(backend) {
    await backend.put('ada', '{}', 300)
    await backend.put('bob', '{}', minuteMs)
    equal(await backend.get('ada'), '{}')

    await sleep(350)

    equal(await backend.get('ada'), undefined)
    equal(await backend.touch('ada', minuteMs), false)
    deepEqual(await backend.replace('ada', '{}', '{"n":1}', minuteMs), gone)
    equal(await backend.length(), 1)
    deepEqual([...(await backend.all()).keys()], ['bob'])
  },

  async 'touch and replace move the end, and put begins a new time'(backend) {
    for (const id of ['touched', 'replaced', 'put']) await backend.put(id, '{}', 1_000)

    equal(await backend.touch('touched', minuteMs), true)
    await backend.replace('replaced', '{}', '{"n":1}', minuteMs)
    await backend.put('put', '{}', minuteMs)
    await sleep(1_050)

    equal(await backend.get('touched'), '{}')
    equal(await backend.get('replaced'), '{"n":1}')
    equal(await backend.get('put'), '{}')
  },

  async 'an id whose time is over can be used again'(backend) {
    await backend.put('ada', '{}', 1)
    await backend.put('bob', '{}', 1)
    await sleep(20)
    equal(await backend.destroy('bob'), undefined)
    await backend.put('ada', '{"n":1}', minuteMs)
    equal(await backend.putNew('bob', '{"n":2}', minuteMs), true)

    equal(await backend.get('ada'), '{"n":1}')
    equal(await backend.get('bob'), '{"n":2}')
  },
}

const allRecords: Promises = {
  async 'all, length and clear mean every record'(backend) {
    equal((await backend.all()).size, 0)
    const ids = Array.from({ length: 120 }, (_, n) => `id${n}`)
    await Promise.all(ids.map((id) => backend.put(id, `{"id":"${id}"}`, minuteMs)))

    equal(await backend.length(), 120)
    deepEqual(new Map(await backend.all()), new Map(ids.map((id) => [id, `{"id":"${id}"}`])))

    await backend.clear()
    equal(await backend.length(), 0)
    equal(await backend.get('id7'), undefined)
  },
}

/** What a backend promises to one caller at a time. Records expire by the real clock. */
export const recordPromises: Promises = { ...oneRecord, ...replacing, ...time, ...allRecords }
