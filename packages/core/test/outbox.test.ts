import { expect, test } from 'vitest'
import { Outbox } from '../src/channel/outbox.ts'

function setUp() {
  const sent: (string | undefined)[] = []
  const outbox = new Outbox('news', (text) => sent.push(text))
  return { sent, outbox }
}

test('64 messages are on their way at once; the next one goes when one of them is delivered, in order', async () => {
  const { sent, outbox } = setUp()
  const posts = Array.from({ length: 70 }, (_, n) => outbox.post(String(n)))
  expect(sent).toHaveLength(64)

  outbox.delivered(10)
  await posts[9]
  expect(sent).toHaveLength(65)
  for (let id = 1; id <= 70; id++) outbox.delivered(id)
  await Promise.all(posts)
  expect(sent).toEqual(Array.from({ length: 70 }, (_, n) => String(n)))
})

test('4 MB are on their way at once, and a longer message goes alone', async () => {
  const { sent, outbox } = setUp()
  for (let n = 0; n < 8; n++) outbox.post('x'.repeat(2 ** 20))
  outbox.post('x'.repeat(5 * 2 ** 20))
  expect(sent).toHaveLength(4)
  for (let id = 1; id <= 7; id++) outbox.delivered(id)
  expect(sent).toHaveLength(8)
  outbox.delivered(8)
  expect(sent).toHaveLength(9)
})

test('more than 10,000 waiting messages, or 64 MB of them, are refused with CHANNEL_FULL', async () => {
  const short = setUp().outbox
  for (let n = 0; n < 10_064; n++) short.post('x')
  await expect(short.post('x')).rejects.toMatchObject({ code: 'CHANNEL_FULL', channel: 'news' })
  short.delivered(1)
  short.post('x')
  await expect(short.post('x')).rejects.toMatchObject({ code: 'CHANNEL_FULL' })

  const long = setUp().outbox
  for (let n = 0; n < 68; n++) long.post('x'.repeat(2 ** 20))
  await expect(long.post('x'.repeat(2 ** 20))).rejects.toMatchObject({ code: 'CHANNEL_FULL' })
})

test('closing waits for what was posted and takes nothing more', async () => {
  const { outbox } = setUp()
  const posts = Array.from({ length: 65 }, (_, n) => outbox.post(String(n)))
  let isClosed = false
  const closed = Promise.all([outbox.close(), outbox.close()]).then(() => {
    isClosed = true
  })
  await expect(outbox.post('late')).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' })

  for (let id = 1; id <= 64; id++) outbox.delivered(id)
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  outbox.delivered(65)
  await Promise.all([closed, ...posts])
  await setUp().outbox.close()
})
