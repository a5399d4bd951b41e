import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createSessions, type Session } from '@stepladder/session'
import { sessions } from '@stepladder/session/express'
import { describe, expect, expectTypeOf, test } from 'vitest'

const options = { secret: 'for tests only' }

describe('the fields of a session', () => {
  test('are those that the app names where it opens its sessions', () => {
    const opened = createSessions<{ user: string }>(options)
    const handle = sessions(opened)

    expectTypeOf(opened.load).returns.resolves.toEqualTypeOf<Session<{ user: string }>>()
    expectTypeOf(handle.get).returns.toEqualTypeOf<Session<{ user: string }>>()
    expectTypeOf<Session<{ user: string }>['user']>().toEqualTypeOf<string | undefined>()
  })

  test('are those that the app declares once for all, where it names none', async () => {
    // A program of its own: what one file declares for all holds for every file of a program.
    const tsc = join(createRequire(__filename).resolve('typescript/package.json'), '../bin/tsc')
    const checked = promisify(execFile)(process.execPath, [tsc, '-p', join(__dirname, 'fixtures/types')])
    const { stdout } = await checked.catch((failure: { stdout: string }) => failure)
    expect(stdout).toBe('')
  })
})
