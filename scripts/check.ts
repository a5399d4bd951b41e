/**
 * `npm run check`: everything that can be told without a server, one line per step, the output of failing
 * steps in full. `npm run check -- docs types` runs the named steps and what they need.
 */
import { availableParallelism } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { styleText } from 'node:util'
import { run } from './program.ts'

type Step = { name: string; command: string; needs?: string }

const steps: Step[] = [
  { name: 'format', command: 'biome check .' },
  { name: 'types', command: 'tsc -p . --noEmit' },
  { name: 'architecture', command: 'node scripts/architecture.ts' },
  { name: 'manifests', command: 'node scripts/manifests.ts' },
  { name: 'errors', command: 'node scripts/error-pages.ts' },
  { name: 'docs', command: 'node scripts/docs.ts' },
  { name: 'unused', command: 'knip' },
  { name: 'build', command: 'turbo run build --continue=always --output-logs=errors-only --log-prefix=none' },
  { name: 'packages', command: 'node scripts/packages.ts', needs: 'build' },
  { name: 'consumers', command: 'node scripts/consumers.ts', needs: 'build' },
]

const root = resolve(import.meta.dirname, '..')
const env = { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(`No step "${unknown.join('", "')}"; there are: ${steps.map((step) => step.name).join(', ')}`)
  process.exit(2)
}

const waiting = steps.filter((step) => asked.length === 0 || isAsked(step))
const results = new Map<string, Promise<boolean>>()
await Promise.all(Array.from({ length: availableParallelism() }, runSteps))
const failed = (await Promise.all(results.values())).filter((passed) => !passed)
if (failed.length > 0) process.exitCode = 1

function isAsked({ name }: Step): boolean {
  return asked.includes(name) || steps.some((step) => step.needs === name && asked.includes(step.name))
}

/** One runner of several: takes the next step until there is none. A step stands after what it needs. */
async function runSteps(): Promise<void> {
  for (let step = waiting.shift(); step; step = waiting.shift()) {
    const result = runStep(step)
    results.set(step.name, result)
    await result
  }
}

async function runStep({ name, command, needs }: Step): Promise<boolean> {
  if (needs && !(await results.get(needs))) {
    console.log(`${styleText('yellow', '-')} ${name} left out: ${needs} failed`)
    return false
  }
  const [program = '', ...args] = command.split(' ')
  const startedAt = performance.now()
  const { code, output, stdout } = await run(program, args, { cwd: root, env })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const mark = code === 0 ? styleText('green', '✓') : styleText('red', '✗')
  // The last line of a script of ours sums up what it saw.
  const sum = code === 0 && program === 'node' ? stdout.trimEnd().split('\n').at(-1) : ''
  console.log(`${mark} ${name.padEnd(12)} ${seconds.padStart(5)} s  ${sum}`.trimEnd())
  if (code !== 0) console.log(`\n$ ${command}\n${output.trimEnd()}\n`)
  return code === 0
}
