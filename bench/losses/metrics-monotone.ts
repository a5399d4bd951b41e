import { sleep } from '@stepladder/core'
import { freePort } from '@stepladder/core/testing'
import type { Figure } from '../figure.ts'
import { Load } from '../load/load.ts'
import { appFile, type Peer } from '../peers/peer.ts'
import { type RunningPeer, startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { countFigure, inTurns, type Turns } from '../turns.ts'
import { Scraper } from './scraper.ts'

/** Four, so that each has lived for five seconds when its turn to die comes: no crash loop is meant here. */
const workers = 4
const deathEveryMs = 1_300
const deathsPerRound = 2.5
const scrapedWhileBlockedMs = 1_500

/** prom-client's own aggregation, whose metrics the primary serves. */
const aggregatorRegistry: Peer = {
  name: 'AggregatorRegistry',
  command: () => ({ file: appFile('aggregated.cjs'), env: { WORKERS: String(workers) } }),
  reload: () => Promise.reject(new Error('it has none')),
}
const peers = [stepladder, aggregatorRegistry]

/** Whether a total ever falls while workers die, and how long a blocked worker holds up a scrape. */
export async function metricsMonotone(rounds: number): Promise<Figure[]> {
  const deaths = Math.ceil(rounds * deathsPerRound)
  const scraped = await inTurns(peers, 1, (peer) => withScraper(peer, (...run) => killInTurn(...run, deaths)))
  const blocked = await inTurns(peers, Math.min(rounds, 5), (peer) => withScraper(peer, blockOne))
  for (const fall of scraped.get(stepladder.name)!.flatMap(({ falls }) => falls)) console.log(`  ${fall}`)
  const falls = `times that a counter fell from one scrape to the next, in ${deaths} deaths by kill -9`
  const longest = 'longest scrape while the loop of one worker of 4 is blocked, failed ones included'
  return [
    countFigure(
      { id: 'metrics-monotone', what: `${falls}; ${display(scraped)}`, aim: '<= 0', unit: 'falls' },
      scraped,
      ([scraper]) => scraper!.falls.length,
    ),
    countFigure(
      { id: 'metrics-blocked-scrape', what: longest, aim: '<= 250', unit: 'ms' },
      blocked,
      (scrapers) => Math.max(...scrapers.map(({ longestMs }) => longestMs)),
    ),
  ]
}

type Run = (running: RunningPeer, scraper: Scraper) => Promise<void>

async function withScraper(peer: Peer, run: Run): Promise<Scraper> {
  const own = await freePort()
  const env = { METRICS_PORT: String(own) }
  await using running = await startPeer(peer, { app: 'counted.cjs', workers, env })
  const scraper = new Scraper(peer === stepladder ? running.port : own)
  const load = new Load(running.port, { path: '/orders', keepAlive: 4, burst: 1 })
  await sleep(500)
  await run(running, scraper)
  await scraper.stop()
  await load.stop()
  return scraper
}

async function killInTurn(running: RunningPeer, scraper: Scraper, deaths: number): Promise<void> {
  scraper.start()
  await sleep(deathEveryMs)
  const queue = await running.workers()
  for (let death = 0; death < deaths; death++) {
    const victim = queue.shift()
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
    await sleep(deathEveryMs)
    const young = (await running.workers()).filter((pid) => !queue.includes(pid))
    queue.push(...young)
  }
}

async function blockOne({ port }: RunningPeer, scraper: Scraper): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/block`, { headers: { connection: 'close' } })
  await sleep(50)
  scraper.start()
  await sleep(scrapedWhileBlockedMs)
}

function display(scraped: Turns<Scraper>): string {
  const each = [...scraped].map(([name, [scraper]]) => `${name} answered ${scraper!.answered} scrapes`)
  return each.join(', ')
}
