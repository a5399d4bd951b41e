/** Run as a process of its own: uses sessions in every way until all of them have ended, and says so. */
import { hammer, openHammered } from './hammer.ts'

const [, , url = '', prefix = '', seed = '', ...cookies] = process.argv
const sessions = openHammered(url, prefix)
const hammering = cookies.map((cookie, n) => hammer(sessions, cookie, Number(seed) * 1_000 + n))
console.log('begun')
Promise.all(hammering).then(async () => {
  await sessions.close()
  console.log('over')
})
