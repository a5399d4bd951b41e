export type { ExpressSessionStore } from './testkit/promised-store.ts'
export type { BreakablePlace, PromiseGroup, SessionStoreTestOptions } from './testkit/test-options.ts'
export { testSessionStore } from './testkit/test-session-store.ts'
