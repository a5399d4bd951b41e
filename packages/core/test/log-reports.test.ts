import { logReports, type Report, StepladderError } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { type Level, pino, stdSerializers } from 'pino'
import { expect, test, vi } from 'vitest'

/** One line as pino writes it, with the fields that the tests look at. */
interface Line {
  readonly level: number
  readonly msg: string
  readonly stepladder: object
  readonly err?: { readonly type: string; readonly message: string; readonly stack: string }
}

const base = { component: 'cache', name: 'flights', operation: 'getOrSet', ms: 3 }
const hit: Report = { ...base, outcome: 'hit' }

function failure(cause: unknown = refused(), outcome = 'failed'): Report {
  return { ...base, outcome, cause }
}

function refused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
}

function setUp(level: Level = 'info') {
  const lines: Line[] = []
  const clock = new FakeClock()
  const logger = pino(
    { level, base: null, timestamp: false },
    { write: (text) => void lines.push(JSON.parse(text)) },
  )
  return { lines, clock, report: logReports(logger, { clock }), says: () => lines.map(({ msg }) => msg) }
}

test('what failed is an error, what was survived a warning, all else a trace', () => {
  const { lines, report } = setUp('trace')
  report(hit)
  report(failure())
  report(failure(refused(), 'stale'))
  expect(lines).toMatchObject([
    { level: 10, msg: 'cache "flights": getOrSet hit', stepladder: hit },
    {
      level: 50,
      msg: 'cache "flights": getOrSet failed',
      err: { type: 'Error', message: 'connect ECONNREFUSED' },
    },
    { level: 40, msg: 'cache "flights": getOrSet stale' },
  ])
})

test('an outage is said once, then once a minute with its count, and once more when it is over', async () => {
  const { report, says, clock, lines } = setUp()
  for (let time = 0; time < 5_000; time++) report(failure())
  expect(says()).toEqual(['cache "flights": getOrSet failed'])

  await clock.advance(60_000)
  for (let time = 0; time < 20; time++) report(failure())
  await clock.advance(60_000)
  await clock.advance(600_000)
  expect(says()).toEqual([
    'cache "flights": getOrSet failed',
    'cache "flights": getOrSet failed, 4999 more in 60 s',
    'cache "flights": getOrSet failed, 20 more in 60 s',
    'cache "flights": getOrSet failed no more: 5020 in all, none for 60 s',
  ])
  expect(lines.map(({ level }) => level)).toEqual([50, 50, 50, 30])
  expect(lines[1]).toMatchObject({ stepladder: { repeated: 4999 }, err: { message: 'connect ECONNREFUSED' } })

  report(failure())
  expect(says()).toHaveLength(5)
})

test('a failure that stays alone is one line, and leaves no timer behind', async () => {
  const { report, says, clock } = setUp()
  report(failure())
  await clock.advance(60_000)
  expect(says()).toHaveLength(1)
  expect(clock.waiting).toBe(0)
})

test('other operations, outcomes and kinds of cause are other outages, up to a hundred', () => {
  const { report, says } = setUp()
  for (let time = 0; time < 3; time++) {
    report(failure())
    report(failure(refused(), 'stale'))
    report(failure(new TypeError('x is not a function')))
    report({ ...failure(), operation: 'get' })
  }
  expect(says()).toHaveLength(4)
  for (let name = 0; name < 1_000; name++) report({ ...failure(), name: `user-${name}` })
  expect(says()).toHaveLength(101)
})

test('at debug every single failure is said', () => {
  const { report, says } = setUp('debug')
  for (let time = 0; time < 10; time++) report(failure())
  expect(says()).toHaveLength(10)
})

test('never a key or a value: of a cause only its type, message, stack, code and causes are logged', () => {
  const { lines, report } = setUp()
  class ReplyError extends Error {
    readonly command = { name: 'set', args: ['user:secret', '{"password":"secret"}'] }
    readonly code = 'READONLY'
  }
  class LoadError extends StepladderError {
    readonly code = 'LOAD_FAILED'
    readonly key = 'user:secret'
  }
  report(failure(new LoadError('The load failed', { cause: new ReplyError('READONLY a replica') })))
  report(failure({ password: 'secret' }, 'lost'))
  // What the logger would have made of it by itself:
  expect(JSON.stringify(stdSerializers.err(new ReplyError('READONLY')))).toContain('secret')
  expect(JSON.stringify(lines)).not.toContain('secret')
  expect(lines[0]?.err).toMatchObject({ type: 'LoadError', code: 'LOAD_FAILED' })
  expect(lines[0]?.err?.message).toContain('READONLY a replica')
  expect(lines[0]?.err?.stack).toContain('log-reports.test.ts')
})

test('a logger that throws costs the reporting module nothing, and is said once', async () => {
  const clock = new FakeClock()
  const broken = () => {
    throw new Error('the disk is full')
  }
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const report = logReports(
    { error: broken, warn: broken, info: broken, debug: broken, trace: broken },
    { clock },
  )
  for (let time = 0; time < 3; time++) report(failure())
  await clock.advance(180_000)
  expect(said).toHaveBeenCalledOnce()
  said.mockRestore()
})

test('what is no logger is refused by name', () => {
  expect(() => logReports({} as never)).toThrow('logReports: option "logger" must be a logger')
  expect(() => logReports(pino({ level: 'silent' }), { evry: 1 } as never)).toThrow('every')
})
