import { join } from 'node:path'
import { EmbeddedEngineError, InvalidOptionError, UnknownOptionError } from '@stepladder/core'
import { spawnNode } from '@stepladder/core/testing'
import { type SessionStoreOptions, sessionStore } from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('wrong options fail at construction, by name:', () => {
  test.each<[string, SessionStoreOptions]>([
    ['ttl', { ttl: 0 }],
    ['ttl', { ttl: Number.POSITIVE_INFINITY }],
    ['timeout', { timeout: Number.NaN }],
    ['timeout', { timeout: '5 minutes' as never }],
    ['prefix', { prefix: 7 as never }],
    ['migrateFrom', { migrateFrom: null as never }],
    ['migrateFrom', { migrateFrom: 'redis://localhost' as never }],
    ['migrateFrom', { migrateFrom: {} as never }],
    ['migrateFrom', { migrateFrom: session.MemoryStore as never }],
  ])('%s in %o', (option, options) => {
    expect(() => sessionStore(options)).toThrow(InvalidOptionError)
    expect(() => sessionStore(options)).toThrow(`"${option}"`)
  })

  test('one that does not exist', () => {
    expect(() => sessionStore({ tll: '1d' } as never)).toThrow(UnknownOptionError)
    expect(() => sessionStore({ tll: '1d' } as never)).toThrow('did you mean "ttl"?')
  })
})

describe('memory', () => {
  test('is refused in production, unless it is what the app asks for', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => sessionStore({ redis: undefined })).toThrow(EmbeddedEngineError)
    expect(() => sessionStore({ redis: '' })).toThrow(EmbeddedEngineError)
    expect(() => sessionStore({ embedded: true })).not.toThrow()
  })

  test('says so once at start, and warns each worker of a cluster', async () => {
    const node = spawnNode(join(__dirname, 'cluster.fixture.ts'), {
      execArgv: ['--conditions=@stepladder/source'],
      env: { VITEST: undefined, NODE_ENV: undefined },
    })
    await node.exited
    expect(node.output.match(/session "sessions" runs on its embedded engine/g)).toHaveLength(3)
    expect(node.output.match(/embedded engine \(memory of this process/g)).toHaveLength(1)
    expect(node.output.match(/each worker's own memory/g)).toHaveLength(2)
  })
})
