import {
  type LeaderContext,
  type LeaderOptions,
  type Leadership,
  type LeaderTask,
  onLeader,
} from '@stepladder/core'
import { RecordedReports } from '@stepladder/core/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

let made = 0

function lead(task: LeaderTask, options: LeaderOptions = {}) {
  made += 1
  const reports = new RecordedReports()
  const leadership = onLeader(task, { name: `test-${made}`, report: reports.report, ...options })
  onTestFinished(() => leadership.close())
  return { leadership, reports }
}

/** A leader that has begun, and what it was given. */
async function begun(work: (context: LeaderContext) => unknown = () => {}) {
  const contexts: LeaderContext[] = []
  const { leadership, reports } = lead((context) => {
    contexts.push(context)
    return work(context)
  })
  await vi.waitFor(() => expect(contexts).toHaveLength(1))
  return { leadership, reports, contexts, context: contexts[0]! }
}

describe('a process that no supervisor runs', () => {
  test('leads at once, with a token that grows from turn to turn', async () => {
    const first = await begun()
    expect(first.leadership.isLeader).toBe(true)
    const second = await begun()
    expect(first.context.token).toBeGreaterThan(1e15)
    expect(second.context.token).toBeGreaterThan(first.context.token)
  })

  test('goes on leading when its task has returned, and its task is called once', async () => {
    const { leadership, contexts, context } = await begun()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(leadership.isLeader).toBe(true)
    expect(contexts).toHaveLength(1)
    expect(context.signal.aborted).toBe(false)
  })
})

describe('closing tells the task by its signal, and waits', () => {
  test.each([
    {
      kind: 'for a promise that lasts as long as the work',
      made: (stop: () => Promise<void>, { signal }: LeaderContext) =>
        new Promise<void>((resolve) => signal.addEventListener('abort', () => stop().then(resolve))),
    },
    { kind: 'for a function that the task returned', made: (stop: () => Promise<void>) => stop },
    { kind: 'for a function that the task promised', made: async (stop: () => Promise<void>) => stop },
    { kind: 'for a Closeable', made: (stop: () => Promise<void>) => ({ close: stop }) },
  ])('$kind', async ({ made }) => {
    const stopped = Promise.withResolvers<void>()
    const stop = vi.fn(() => stopped.promise)
    const { leadership, context, reports } = await begun((given) => made(stop, given))
    expect(stop).not.toHaveBeenCalled()

    let isClosed = false
    const closed = leadership.close().then(() => {
      isClosed = true
    })
    expect(context.signal.aborted).toBe(true)
    expect(leadership.isLeader).toBe(false)
    await vi.waitFor(() => expect(stop).toHaveBeenCalledOnce())
    expect(isClosed).toBe(false)
    stopped.resolve()
    await closed
    await leadership.close()
    expect(stop).toHaveBeenCalledOnce()
    expect(reports.outcomes('lead')).toEqual(['resigned'])
  })

  test('for a task that was still starting, and stops what that started', async () => {
    const started = Promise.withResolvers<() => void>()
    const stop = vi.fn()
    const { leadership } = await begun(() => started.promise)
    const closed = leadership.close()
    started.resolve(stop)
    await closed
    expect(stop).toHaveBeenCalledOnce()
  })

  test('and takes it for the end when the task rejects with the reason of its signal', async () => {
    const { leadership, reports } = await begun(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await leadership.close()
    expect(reports.outcomes('lead')).toEqual(['resigned'])
  })

  test('and reports a task that fails to stop', async () => {
    const { leadership, reports } = await begun(() => () => Promise.reject(new Error('stuck')))
    await leadership.close()
    expect(reports.all.at(-1)).toMatchObject({
      operation: 'lead',
      outcome: 'failed',
      cause: new Error('stuck'),
    })
  })
})

describe('a task that fails', () => {
  test('is reported, told by its signal, and called again in the same process', async () => {
    const contexts: LeaderContext[] = []
    const { leadership, reports } = lead((context) => {
      contexts.push(context)
      if (contexts.length === 1) throw new Error('no database')
    })
    await vi.waitFor(() => expect(contexts).toHaveLength(2), { timeout: 5_000 })
    expect(contexts[0]!.signal.aborted).toBe(true)
    expect(contexts[0]!.signal.reason).toEqual(new Error('no database'))
    expect(contexts[1]!.signal.aborted).toBe(false)
    expect(leadership.isLeader).toBe(true)
    expect(reports.all.filter(({ operation }) => operation === 'lead')).toMatchObject([
      { component: 'cluster', outcome: 'failed', cause: new Error('no database') },
    ])
  })

  test('does not hold up a process that resigns meanwhile', async () => {
    const { leadership, reports } = lead(() => Promise.reject(new Error('no database')))
    await vi.waitFor(() => expect(reports.outcomes('lead')).toEqual(['failed']))
    await leadership.close()
    expect(leadership.isLeader).toBe(false)
  })

  test('is told on stderr where nobody asked for reports', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => said.mockRestore())
    const { leadership } = lead(() => Promise.reject(new Error('no database')), {
      name: 'loud',
      report: undefined,
    })
    await vi.waitFor(() => expect(said).toHaveBeenCalledOnce())
    expect(said.mock.calls[0]).toEqual(['stepladder: leader "loud": lead failed:', new Error('no database')])
    await leadership.close()
  })
})

describe('refused are', () => {
  const task = () => {}

  test('a second leadership of one name in a process, until the first is closed', async () => {
    const { leadership } = lead(task, { name: 'only-one' })
    expect(() => onLeader(task, { name: 'only-one' })).toThrow(/option "name".*"only-one"/)
    await leadership.close()
    const again: Leadership = onLeader(task, { name: 'only-one' })
    await again.close()
  })

  test.each([
    { options: { name: '' }, message: /option "name"/ },
    { options: { lease: '10ms' }, message: /option "lease".*'1s'.*"10ms"/ },
    { options: { lease: 'soon' }, message: /option "lease"/ },
    { options: { nmae: 'cron' }, message: /did you mean "name"/ },
  ])('options that cannot be meant: $options', ({ options, message }) => {
    // As an app in JavaScript may give them.
    expect(() => onLeader(task, options as LeaderOptions)).toThrow(message)
  })
})
