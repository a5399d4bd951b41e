import { closeAll } from '@stepladder/core'
import { expect, test } from 'vitest'

test('what was opened last is closed first, and a failure stops nothing', async () => {
  const closed: string[] = []
  const part = (name: string, failure?: Error) => ({
    close: async () => {
      closed.push(name)
      if (failure) throw failure
    },
  })
  const closing = closeAll([part('pool'), part('queue', new Error('stuck')), part('cache')])
  await expect(closing).rejects.toMatchObject({ errors: [{ message: 'stuck' }] })
  expect(closed).toEqual(['cache', 'queue', 'pool'])
})
