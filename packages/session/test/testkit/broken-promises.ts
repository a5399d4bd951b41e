import {
  type ExpressSessionStore,
  type SessionStoreTestOptions,
  testSessionStore,
} from '@stepladder/session/testkit'

type Options<Store> = Omit<SessionStoreTestOptions<Store>, 'test'>

/** Runs the kit as a test runner would, and tells which promises the store breaks, and by what error. */
export async function brokenPromises<Store extends ExpressSessionStore>(
  makeStore: () => Store | Promise<Store>,
  options: Options<Store> = {},
): Promise<Map<string, string>> {
  const tests: [title: string, run: () => Promise<void>][] = []
  const record = (title: string, run: () => Promise<void>) => tests.push([title.replace('store: ', ''), run])
  testSessionStore('store', makeStore, { ...options, test: record })

  const broken = new Map<string, string>()
  for (const [title, run] of tests) {
    await run().catch((failure: Error) => broken.set(title, failure.message))
  }
  return broken
}
