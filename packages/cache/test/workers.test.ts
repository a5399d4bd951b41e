import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

const core = dirname(createRequire(import.meta.url).resolve('@stepladder/core/package.json'))
const app = fileURLToPath(new URL('./fixtures/workers-app.ts', import.meta.url))

interface Answer {
  readonly pid: number
  readonly answer: string
}

test('without Redis, what one worker invalidates no other worker of the machine serves any more', async () => {
  await using machine = await startMachine()
  expect([...(await machine.askBoth('/read?row=old')).values()]).toEqual(['old', 'old'])
  // Each has it in its memory.
  expect([...(await machine.askBoth('/read?row=new')).values()]).toEqual(['old', 'old'])
  expect(await answerOf(await machine.ask('/invalidate'))).toMatchObject({ answer: 'done' })
  expect([...(await machine.askBoth('/read?row=new')).values()]).toEqual(['new', 'new'])
})

test('a worker frozen for more invalidations than are kept for it serves nothing old when it runs again', {
  timeout: 60_000,
}, async () => {
  await using machine = await startMachine('--hang', 'off')
  const pids = [...(await machine.askBoth('/read?row=old')).keys()]
  const invalidation = await machine.ask('/invalidate?others=2000')
  const frozen = pids.find((pid) => pid !== Number(invalidation.headers.get('x-pid')))!
  process.kill(frozen, 'SIGSTOP')
  // The last of the 2,001 is what the frozen one should hear.
  await answerOf(invalidation).finally(() => process.kill(frozen, 'SIGCONT'))
  await expect
    .poll(async () => (await machine.askBoth('/read?row=new')).get(frozen), { timeout: 10_000 })
    .toBe('new')
})

async function startMachine(...flags: string[]) {
  const port = await freePort()
  const machine = spawnNode(join(core, 'bin/stepladder.js'), {
    args: ['run', '--workers', '2', '--distribution', 'dispatch', ...flags, app],
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await machine.waitForOutput(/2 of 2 workers serve/)
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  /** The first answer of each worker. */
  const askBoth = async (path: string): Promise<Map<number, string>> => {
    const answers = new Map<number, string>()
    for (let tries = 0; answers.size < 2 && tries < 100; tries++) {
      const { pid, answer } = await answerOf(await ask(path))
      if (!answers.has(pid)) answers.set(pid, answer)
    }
    return answers
  }
  return { ask, askBoth, [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose]() }
}

async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer // as the fixture answers
}
