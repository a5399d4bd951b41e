import { parseArgs } from 'node:util'
import type { Bench } from './figure.ts'
import { Figures } from './figures.ts'

const names = ['cache', 'core', 'fairness', 'queue', 'report', 'session', 'shard']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', multiple: true },
  },
})
const rounds = Number(values.rounds)
const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`Usage: npm run bench -- [${names.join('|')}] [--rounds N] [--only GROUP] [--json FILE]`)
  process.exit(2)
}

const figures = new Figures(rounds)
for (const name of positionals.length > 0 ? positionals : names) {
  // Each bench file exports `bench`; the type says so, and a file that does not fails right here.
  const { bench } = (await import(`./${name}.ts`)) as { bench: Bench }
  console.log(`${bench.name}: ${rounds} rounds`)
  for (const [group, run] of Object.entries('groups' in bench ? bench.groups : { [name]: bench.run })) {
    if (values.only && !values.only.includes(group)) continue
    figures.add(await run(rounds))
    // After each: a run that is interrupted keeps what it has.
    if (values.json) await figures.write(values.json)
  }
}
process.exit(0)
