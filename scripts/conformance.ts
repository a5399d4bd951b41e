/**
 * `npm run conformance -- express-session --suite DIR [--store NAME]`: express-session's own tests, unedited, on our
 * store instead of its MemoryStore. DIR is a checkout of express-session with its dependencies installed: its package
 * holds no tests, and they are not ours to copy. NAME is one of memory, redis, sqlite, postgres, connect-redis and
 * MemoryStore; without it all but the last two. Prints how many passed and names what failed; ends with 1 if any did.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runExpressSessionSuite } from './conformance/express-session-suite.ts'
import { openPlace } from './conformance/place.ts'
import { isStoreName, type StoreName } from './conformance/store-names.ts'

const ours: readonly StoreName[] = ['memory', 'redis', 'sqlite', 'postgres']
const usage = 'npm run conformance -- express-session --suite DIR [--store NAME]'

main().catch((failure: unknown) => {
  console.error(failure instanceof Error ? failure.message : failure)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { suite: { type: 'string' }, store: { type: 'string' } },
  })
  const { suite, store } = values
  if (positionals.join() !== 'express-session' || suite === undefined) throw new Error(usage)
  if (store !== undefined && !isStoreName(store)) throw new Error(`no store "${store}": ${usage}`)

  for (const name of store ? [store] : ours) {
    const place = await openPlace(name)
    const result = await runExpressSessionSuite(resolve(suite), name, place.url).finally(place.close)
    console.log(
      `${name}: ${result.passed} passed, ${result.failures.length} failed (Node ${process.version})`,
    )
    for (const { title, message } of result.failures) console.log(`  ${title}: ${message}`)
    if (result.failures.length > 0 || result.passed === 0) process.exitCode = 1
  }
}
