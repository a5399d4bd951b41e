import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench, Figure } from './figure.ts'
import { keepsAim } from './figure.ts'

const names = ['cache', 'cluster', 'queue', 'session', 'shard']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, rounds: { type: 'string', default: '7' } },
})
const rounds = Number(values.rounds)
const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`Usage: npm run bench -- [${names.join('|')}] [--rounds N] [--json FILE]`)
  process.exit(2)
}

const figures: Figure[] = []
for (const name of positionals.length > 0 ? positionals : names) {
  // Each bench file exports `bench`; the type says so, and a file that does not fails right here.
  const { bench } = (await import(`./${name}.ts`)) as { bench: Bench }
  console.log(`${bench.name}: ${rounds} rounds`)
  for (const figure of await bench.run(rounds)) {
    figures.push(figure)
    console.log(line(figure))
  }
}
if (values.json) {
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version }
  await writeFile(values.json, `${JSON.stringify({ machine, rounds, figures }, null, 2)}\n`)
}
process.exit(0)

function line(figure: Figure): string {
  const { id, what, aim, value, unit, arms, armsUnit, spread } = figure
  const verdict = spread > 0.3 ? 'too noisy to tell' : keepsAim(figure) ? 'kept' : 'MISSED'
  const measured = Object.entries(arms).map(([name, arm]) => `${name} ${display(arm)}`)
  return `  ${id}: ${display(value)} ${unit} (aim ${aim}: ${verdict})  ${what}\n      ${measured.join(', ')} ${armsUnit}`
}

function display(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
