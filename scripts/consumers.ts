/**
 * Two applications as users have them, a CommonJS one on Express 4 and an ESM one on Express 5, take up each
 * module alone from its tarball. Told of each: how many lines changed, and whether the effect is there after
 * the change and was not there before it.
 */
import { join } from 'node:path'
import { type Adoption, adoptions } from './adoptions.ts'
import { changedLines } from './changed-lines.ts'
import { type Consumer, consumers, hasEffect, installConsumer, runsOnTwoCores } from './consumer.ts'
import { packPackages, type Tarball } from './tarballs.ts'
import { tempFolder } from './temp-folder.ts'

const mostChangedLines = 3

if (import.meta.main) {
  using work = tempFolder()
  const tarballs = await packPackages(work.path)
  for (const consumer of consumers) {
    for (const adoption of adoptions)
      await tell(consumer, adoption, () => adopt(work.path, tarballs, consumer, adoption))
    await tell(consumer, { name: 'run', shows: 'the unchanged app answers from two processes' }, async () => {
      const folder = join(work.path, consumer.name, 'metrics')
      if (!(await runsOnTwoCores(folder, consumer, process.execPath)))
        throw new Error('only one process answered')
      return 0
    })
  }
  console.log(`${consumers.length} applications, ${adoptions.length} modules and stepladder run`)
}

async function tell(consumer: Consumer, what: { name: string; shows: string }, step: () => Promise<number>) {
  const subject = `${consumer.name} ${what.name}`.padEnd(22)
  try {
    console.log(`${subject} ${await step()} changed lines: ${what.shows}`)
  } catch (cause) {
    console.error(`${subject} ${cause instanceof Error ? cause.message : String(cause)}`)
    process.exitCode = 1
  }
}

/** The number of changed lines; throws if they are too many or do not have their effect. */
async function adopt(
  work: string,
  tarballs: readonly Tarball[],
  consumer: Consumer,
  adoption: Adoption,
): Promise<number> {
  const sources = join(import.meta.dirname, 'consumers', consumer.name)
  const lines = await changedLines(
    join(sources, `app.${consumer.ending}`),
    join(sources, `${adoption.name}.${consumer.ending}`),
  )
  if (lines > mostChangedLines) throw new Error(`takes ${lines} changed lines, more than ${mostChangedLines}`)

  const folder = join(work, consumer.name, adoption.name)
  await installConsumer(folder, tarballs, consumer, adoption)
  if (await hasEffect(folder, 'app', consumer, adoption, process.execPath)) {
    throw new Error(`the app shows it without the module, so nothing is proved: ${adoption.shows}`)
  }
  if (!(await hasEffect(folder, adoption.name, consumer, adoption, process.execPath))) {
    throw new Error(`the changed app does not show it: ${adoption.shows}`)
  }
  return lines
}
