import type { SessionBackend } from '../backend.ts'
import { bounded } from '../bounded.ts'
import type { SessionsSettings } from '../sessions-options.ts'
import { ttlMs } from '../visit/new-record.ts'
import { Migration } from './migration.ts'

/** Undefined where the options name no store to take sessions over from. */
export function openMigration(backend: SessionBackend, settings: SessionsSettings): Migration | undefined {
  const { migrateFrom: from, timeoutMs, clock } = settings
  if (!from) return undefined
  const to = bounded(backend, timeoutMs, clock)
  return new Migration({ from, to, settings, ttlMs: ({ cookie, meta }) => ttlMs({ settings }, cookie, meta) })
}
