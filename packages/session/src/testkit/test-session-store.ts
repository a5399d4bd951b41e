import { concurrencyPromises } from './concurrency-promises.ts'
import { contractPromises } from './contract-promises.ts'
import { failurePromises } from './failure-promises.ts'
import { outagePromises } from './outage-promises.ts'
import { type ExpressSessionStore, PromisedStore } from './promised-store.ts'
import { resurrectionPromises } from './resurrection-promises.ts'
import { type CookieOptions, TestApp } from './test-app.ts'
import {
  groupNames,
  type PromiseGroup,
  readTestOptions,
  type SessionStoreTestOptions,
  type TestSettings,
} from './test-options.ts'
import type { Promises, Tested } from './tested.ts'
import { timePromises } from './time-promises.ts'

const groups: Readonly<Record<PromiseGroup, (settings: TestSettings) => Promises>> = {
  contract: contractPromises,
  time: timePromises,
  concurrency: concurrencyPromises,
  resurrection: resurrectionPromises,
  failures: failurePromises,
  outage: outagePromises,
}

/** A promise takes seconds at most; whoever waits longer waits for a store that hangs. */
const timeoutMs = 60_000

/**
 * Tests a store of express-session, ours or another: that it keeps the contract, loses no update, revives no session,
 * and answers when the place of its sessions does not. One test for each promise, titled by it and `name`.
 * `makeStore` is called for each test, and gives a store that holds no sessions yet: under a prefix of its own, say.
 * Requests go through express-session, which must be installed, on free ports of this machine.
 * Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function testSessionStore<Store extends ExpressSessionStore>(
  name: string,
  makeStore: () => Store | Promise<Store>,
  options: SessionStoreTestOptions<Store>,
): void {
  const settings = readTestOptions(options)
  const { test, without = [], place } = options
  for (const group of groupNames) {
    const isLeftOut = without.includes(group) || (group === 'outage' && !place)
    for (const [promise, check] of Object.entries(groups[group](settings))) {
      const run = () => withStore(makeStore, options.close ?? closeIfAny, check)
      if (isLeftOut) test.skip?.(`${name}: ${promise}`, run)
      else test(`${name}: ${promise}`, run, timeoutMs)
    }
  }
}

async function withStore<Store extends ExpressSessionStore>(
  makeStore: () => Store | Promise<Store>,
  close: (store: Store) => unknown,
  check: (tested: Tested) => Promise<void>,
): Promise<void> {
  const store = await makeStore()
  const apps: TestApp[] = []
  const openApp = async (cookie?: CookieOptions) => {
    const app = await TestApp.start(store, cookie)
    apps.push(app)
    return app
  }
  try {
    await check({ store: new PromisedStore(store), openApp })
  } finally {
    await Promise.all(apps.map((app) => app.close()))
    await close(store)
  }
}

function closeIfAny(store: object): unknown {
  return 'close' in store && typeof store.close === 'function' ? store.close() : undefined
}
