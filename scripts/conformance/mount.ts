/**
 * Required by mocha before express-session's tests: whoever asks for a MemoryStore there gets the store that
 * CONFORMANCE_STORE names, empty and of its own. Nothing else of the suite is touched.
 */
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { opener } from './stores.ts'

const { CONFORMANCE_STORE = '', CONFORMANCE_URL = '', CONFORMANCE_SUITE = '' } = process.env
const require = createRequire(join(CONFORMANCE_SUITE, 'index.js'))

// The app's express-session is the one under test: a store must make its sessions with that copy.
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'express-session'
      ? { url: pathToFileURL(join(CONFORMANCE_SUITE, 'index.js')).href, shortCircuit: true }
      : next(specifier, context),
})

const open = opener(CONFORMANCE_STORE, CONFORMANCE_URL)
const opened: { close?: () => Promise<void> }[] = []

/** What the suite constructs. A constructor that returns an object makes `new` return that. */
function MemoryStore(): object {
  const store = open()
  opened.push(store)
  return store
}

const memory = require.resolve(join(CONFORMANCE_SUITE, 'session/memory.js'))
require.cache[memory] = Object.assign(Object.create(null), { id: memory, loaded: true, exports: MemoryStore })

/** Mocha calls it after the last test; what stayed open would keep its process alive. */
export const mochaHooks: { afterAll(): Promise<void> } = {
  async afterAll() {
    await Promise.all(opened.map((store) => store.close?.()))
  },
}
