import { deepEqual, equal } from 'node:assert/strict'
import type { SessionBackend } from '../src/backend.ts'
import type { Promises } from './promises.ts'
import type { ContractSettings } from './session-backend-tools.ts'

const minuteMs = 60_000

/** As many calls in one turn of the event loop as a busy process makes: a backend may send them together. */
export function batchPromises({ spoil }: ContractSettings): Promises {
  return {
    async 'of many records that are asked for in one turn, long ones and missing ones too, each is the right one'(
      backend,
    ) {
      const records = await putRecords(backend)
      const asked = records.flatMap(({ id, text }) => [
        { id, text },
        { id: `no ${id}`, text: undefined },
        { id: 'id0', text: records[0]!.text },
      ])

      const found = await Promise.all(asked.map(({ id }) => backend.get(id)))

      sameTexts(
        found,
        asked.map(({ text }) => text),
      )
    },

    async 'of many records that are replaced in one turn, each is answered for itself'(backend) {
      const records = await putRecords(backend)
      const changes = records.flatMap(({ id, text }, n) => [
        { id, expected: n % 2 === 0 ? text : 'another', isDone: n % 2 === 0, current: text },
        { id: `no ${id}`, expected: text, isDone: false, current: undefined },
      ])

      const answers = await Promise.all(
        changes.map(({ id, expected }) => backend.replace(id, expected, `${id} anew`, minuteMs)),
      )

      for (const [place, { id, isDone, current }] of changes.entries()) {
        const answer = answers[place]!
        equal(answer.isDone, isDone, `replacing ${id}`)
        sameTexts([answer.isDone ? undefined : answer.current], [isDone ? undefined : current])
        sameTexts([await backend.get(id)], [isDone ? `${id} anew` : current])
      }
    },

    async 'of calls of every kind in one turn, one that fails fails alone'(backend, { prefix }) {
      const ids = Array.from({ length: 40 }, (_, n) => `id${n}`)
      await Promise.all(ids.map((id) => backend.put(id, '{}', minuteMs)))
      await spoil(prefix, 'spoilt')

      // Postgres keeps no text with this character in it.
      const unkept = '{"n":"\0"}'
      const bad = Promise.allSettled([
        ...spoiltCalls(backend),
        backend.put('unkept', unkept, minuteMs),
        backend.replace('id0', '{}', unkept, minuteMs),
      ])
      const sound = await Promise.all(ids.slice(1).map((id, n) => soundCall(backend, id, n % 4)))
      await Promise.all([bad, ...spoiltCalls(backend).map((call) => call.catch(() => {}))])

      deepEqual(
        sound,
        ids.slice(1).map((_, n) => [{ isDone: true }, '{}', true, '{}'][n % 4]),
      )
    },
  }
}

async function putRecords(backend: SessionBackend): Promise<{ id: string; text: string }[]> {
  // Every third is longer than what is sent together with others as a rule.
  const records = Array.from({ length: 150 }, (_, n) => ({
    id: `id${n}`,
    text: `{"n":${n}}${' '.repeat(n % 3 === 0 ? 20_000 : 0)}`,
  }))
  await Promise.all(records.map(({ id, text }) => backend.put(id, text, minuteMs)))
  return records
}

function spoiltCalls(backend: SessionBackend): Promise<unknown>[] {
  return [
    backend.get('spoilt'),
    backend.replace('spoilt', '{}', '{"n":1}', minuteMs),
    backend.touch('spoilt', minuteMs),
    backend.destroy('spoilt'),
  ]
}

function soundCall(backend: SessionBackend, id: string, kind: number): Promise<unknown> {
  if (kind === 0) return backend.replace(id, '{}', '{"n":1}', minuteMs)
  if (kind === 1) return backend.get(id)
  return kind === 2 ? backend.touch(id, minuteMs) : backend.destroy(id)
}

/** As short words: whoever fails is not told of thousands of spaces. */
function sameTexts(found: readonly (string | undefined)[], expected: readonly (string | undefined)[]): void {
  const short = (text: string | undefined) => text && `${text.trim()} of ${text.length}`
  deepEqual(found.map(short), expected.map(short))
}
