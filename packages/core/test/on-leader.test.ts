import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning, seededRandom, seeds } from '@stepladder/core/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type JournalEntry, overlapsOf, readJournal, turnsOf } from './leader-journal.ts'
import { startCluster } from './running-cluster.ts'

async function startLeaderApp({ workers = 2, env = {}, flags = [] as string[] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stepladder-leader-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'journal')
  writeFileSync(file, '')
  const cluster = await startCluster({
    app: 'leader-app.cjs',
    workers,
    flags,
    env: { JOURNAL: file, ...env },
  })
  const journal = () => readJournal(file)
  return {
    cluster,
    journal,
    /** The turn with this number, counted from 1. */
    turn: (number: number, withinMs = 10_000): Promise<JournalEntry> =>
      within(withinMs, () => {
        const turn = turnsOf(journal())[number - 1]
        expect(turn, `turn ${number}`).toBeDefined()
        return turn!
      }),
    /** The workers that run now. */
    workers: async () => {
      const pids = journal().flatMap(({ what, pid }) => (what === 'up' ? [pid] : []))
      const running = await Promise.all(pids.map(isRunning))
      return pids.filter((_, at) => running[at])
    },
    leader: () => turnsOf(journal()).at(-1)!.pid,
    reload: async () => {
      const before = cluster.supervisor.output.length
      cluster.supervisor.kill('SIGHUP')
      await within(30_000, () => {
        expect(cluster.supervisor.output.slice(before)).toMatch(/reloaded|did not come up/)
      })
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

describe('on a machine', { timeout: 60_000 }, () => {
  test('one worker leads; another follows when it is killed, when it is told to go and has stopped, when it hangs', async () => {
    await using app = await startLeaderApp({ workers: 2, env: { STOP_MS: '300' } })
    const first = await app.turn(1)
    process.kill(first.pid, 'SIGKILL')
    const second = await app.turn(2)
    expect(second.pid).not.toBe(first.pid)

    process.kill(second.pid, 'SIGTERM')
    const third = await app.turn(3)
    expect([first.pid, second.pid]).not.toContain(third.pid)
    const journal = app.journal()
    expect(overlapsOf(journal)).toEqual([])
    const lastWords = journal.filter(({ pid, what }) => pid === second.pid && what !== 'beat')
    expect(lastWords.map(({ what }) => what)).toEqual(['up', 'begin', 'told', 'end'])
    expect(third.token).toBeGreaterThan(second.token)
    expect(second.token).toBeGreaterThan(first.token)

    process.kill(third.pid, 'SIGSTOP')
    await app.turn(4, 15_000)
    expect(await isRunning(third.pid)).toBe(false)
    expect(overlapsOf(app.journal())).toEqual([])
  })

  test('a reload moves leadership once, whoever has it', async () => {
    await using app = await startLeaderApp({ workers: 2 })
    await app.turn(1)
    await app.reload()
    await app.turn(2)
    const journal = app.journal()
    expect(turnsOf(journal)).toHaveLength(2)
    expect(overlapsOf(journal)).toEqual([])
    expect(await app.workers()).toContain(app.leader())
  })

  test('a job that does not stop ends with its process at the deadline, and only then another leads', async () => {
    await using app = await startLeaderApp({
      workers: 2,
      env: { STOP_MS: '3600000' },
      flags: ['--drain', '1s'],
    })
    const first = await app.turn(1)
    process.kill(first.pid, 'SIGTERM')
    await app.turn(2)
    const journal = app.journal()
    expect(overlapsOf(journal)).toEqual([])
    expect(journal.some(({ what }) => what === 'end')).toBe(false)
    app.cluster.supervisor.kill()
  })

  test.each(seeds(1))(
    'killed, stopped, reloaded and told to go, it is never two (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const random = seededRandom(seed)
      await using app = await startLeaderApp({ workers: 3 })
      await app.turn(1)
      await storm(app, random, 6)
      // Whatever befell it, in the end there is a leader, and it works.
      await within(30_000, async () => {
        expect(await isRunning(app.leader())).toBe(true)
        const before = app.journal().length
        await within(500, () => expect(app.journal().length).toBeGreaterThan(before))
      })
      const journal = app.journal()
      expect(overlapsOf(journal)).toEqual([])
      expect(turnsOf(journal).length).toBeGreaterThan(1)
      const tokens = turnsOf(journal).map(({ token }) => token)
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
    },
  )

  test('(control) an app that looks at NODE_APP_INSTANCE has two at it during a reload', async () => {
    await using app = await startLeaderApp({ workers: 2, env: { GUARD: 'instance-zero' } })
    await app.turn(1)
    await app.reload()
    await app.turn(2)
    expect(overlapsOf(app.journal()).length).toBeGreaterThan(0)
  })
})

type LeaderApp = Awaited<ReturnType<typeof startLeaderApp>>

/** So many blows, at random moments, more of them to the leader than to the others. */
async function storm(app: LeaderApp, random: () => number, blows: number): Promise<void> {
  const reloads: Promise<void>[] = []
  for (let blow = 0; blow < blows; blow++) {
    await pause(random() * 800)
    const workers = await app.workers()
    const someone = workers[Math.floor(random() * workers.length)]
    const victim = random() < 0.6 || someone === undefined ? app.leader() : someone
    const kind = random()
    if (kind < 0.2) reloads.push(app.reload())
    else if (kind < 0.5) strike(victim, 'SIGKILL')
    else if (kind < 0.75) strike(victim, 'SIGTERM')
    else {
      strike(victim, 'SIGSTOP')
      await pause(random() * 1_500)
      strike(victim, 'SIGCONT')
    }
  }
  await Promise.all(reloads)
}

function strike(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It was gone already.
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Repeats `task` until it succeeds. */
function within<T>(ms: number, task: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(task, { timeout: ms, interval: 20 })
}
