import { admitEmbedded, InvalidOptionError } from '@stepladder/core'
import type { Broker } from './broker.ts'
import { BullmqBroker } from './brokers/bullmq.ts'
import { JournalBroker } from './brokers/journal.ts'
import type { WriteBehindSettings } from './options.ts'

/** Redis through BullMQ when there is one, else the journal, which serves one machine. */
export function chooseBroker<Row>(settings: WriteBehindSettings<Row>): Broker {
  const { name, redis, directory, embedded, report } = settings
  if (redis !== undefined) return new BullmqBroker({ name, redis, report })

  if (directory === undefined) {
    throw new InvalidOptionError(
      'createWriteBehind',
      'directory',
      directory,
      'a folder on a local disk when there is no `redis`: there the rows wait, also across restarts',
    )
  }
  const engine = `a journal in ${directory}, for one machine`
  admitEmbedded({ owner: `queue "${name}"`, engine, remedy: 'pass `redis`', isMeant: embedded })
  return new JournalBroker({ name, directory, report })
}
