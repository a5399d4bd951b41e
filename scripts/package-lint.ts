import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { run } from './program.ts'

const attw = resolve(import.meta.dirname, '../node_modules/.bin/attw')

/** What publint holds against the manifest of a tarball, suggestions included. */
export async function lintManifest(tarball: string): Promise<string[]> {
  const { buffer, byteOffset, byteLength } = readFileSync(tarball)
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true })
  return messages.map(
    (message) => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
  )
}

/**
 * Whether types resolve in every mode of TypeScript. Subpaths are not asked of the oldest mode, node10: it
 * knows no `exports`, and TypeScript 7 no longer has it.
 */
export async function lintTypes(tarball: string): Promise<string[]> {
  const outcomes = [
    await run(attw, [tarball, '--format=ascii', '--no-color', '--no-emoji', '--profile=node16']),
    await run(attw, [tarball, '--format=ascii', '--no-color', '--no-emoji', '--entrypoints', '.']),
  ]
  // A package without any types is nothing that attw looks at, and it says so with success.
  const failed = outcomes.filter(
    ({ code, output }) => code !== 0 || output.includes('does not contain types'),
  )
  return failed.map(({ output }) => `attw:\n${output}`)
}
