import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { describeHang } from '../src/watch/hang-word.ts'
import { readLastWords } from '../src/watch/last-words.ts'

const frame = (name: string, file: string, line: number) => ({ function: name, file, line })

test('first where the loop is, then how the app came there', () => {
  const frames = [
    frame('readFileSync', 'node:fs', 440),
    frame('parse', '/srv/app/node_modules/marked/marked.js', 99),
    frame('walk', '/srv/app/tree.js', 5),
    frame('walk', '/srv/app/tree.js', 5),
    frame('handle', '/srv/app/node_modules/router/index.js', 7),
    frame('(anonymous)', '/srv/app/server.js', 12),
    frame('emit', 'node:events', 509),
  ]
  expect(describeHang({ busyMs: 1_640, cpuWaitMs: 400, frames })).toBe(
    'busy for 1.6 s in parse (/srv/app/node_modules/marked/marked.js:99), called from walk (/srv/app/tree.js:5), ' +
      'called from (anonymous) (/srv/app/server.js:12)',
  )
})

test('a stack of Node alone is better than none', () => {
  const frames = [frame('processTimers', 'node:internal/timers', 618)]
  expect(describeHang({ busyMs: 1_600, cpuWaitMs: 0, frames })).toBe(
    'busy for 1.6 s in processTimers (node:internal/timers:618)',
  )
  expect(describeHang({ busyMs: 4_500, cpuWaitMs: 4_000, frames: [] })).toMatch(
    /^busy for 4\.5 s \(4\.0 s of it waiting for a CPU\) in a call that cannot be/,
  )
})

test('what else is written to its descriptor is passed over, and lines come in any pieces', async () => {
  const heard: unknown[] = []
  const stream = new PassThrough()
  readLastWords(stream, (word) => heard.push(word))
  const hang = { busyMs: 1_600, cpuWaitMs: 0, frames: [] }
  stream.write('hello\n\nnull\n{"busyMs":3}\n{"isUne')
  stream.write(`asy":true}\n${JSON.stringify(hang)}\n{"half`)
  stream.end()
  await once(stream, 'end')
  expect(heard).toEqual([{ isUneasy: true }, hang])
})
