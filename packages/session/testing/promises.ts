import { randomUUID } from 'node:crypto'
import type { SessionBackend } from '../src/backend.ts'
import type { TestFunction } from '../src/testkit/test-options.ts'
import type { MakeSessionBackend } from './session-backend-tools.ts'

/** What stands beside the backend that a promise is checked on. */
export interface Beside {
  readonly prefix: string
  /** Another backend on the same records. */
  open(): Promise<SessionBackend>
}

/** Checks by what they promise; each rejects when the promise is broken. */
export type Promises = Readonly<Record<string, (backend: SessionBackend, beside: Beside) => Promise<void>>>

/** A promise takes seconds at most; whoever waits longer waits for a call that hangs. */
const timeoutMs = 60_000

/** One test for each promise, on backends that end with it. */
export function testPromises(
  name: string,
  make: MakeSessionBackend,
  test: TestFunction,
  promises: Promises,
): void {
  for (const [promise, check] of Object.entries(promises)) {
    test(`${name}: ${promise}`, () => withBackends(make, check), timeoutMs)
  }
}

/** Tells the runner what it does not test. */
export function skipPromises(name: string, test: TestFunction, promises: Promises): void {
  for (const promise of Object.keys(promises)) test.skip?.(`${name}: ${promise}`, async () => {})
}

async function withBackends(make: MakeSessionBackend, check: Promises[string]): Promise<void> {
  const prefix = `contract${randomUUID().replaceAll('-', '')}`
  // Memory may be one and the same backend each time.
  const opened = new Set<SessionBackend>()
  const open = async () => {
    const backend = await make(prefix)
    opened.add(backend)
    return backend
  }
  try {
    await check(await open(), { prefix, open })
  } finally {
    await Promise.all([...opened].map((backend) => backend.close()))
  }
}
