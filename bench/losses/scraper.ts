import { sleep } from '@stepladder/core'

const everyMs = 50
const patienceMs = 8_000

/** Reads `/metrics` again and again, each time over a new connection, and watches what must only grow. */
export class Scraper {
  readonly #url: string
  readonly #last = new Map<string, number>()
  #scraping: Promise<void> = Promise.resolve()
  #isOver = false
  /** Each series of a counter or a histogram that was lower than in the scrape before, or gone. */
  readonly falls: string[] = []
  answered = 0
  /** The longest scrape, in milliseconds, however it ended. */
  longestMs = 0

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/metrics`
  }

  start(): void {
    this.#scraping = this.#scrapeOn()
  }

  /** Resolves when the scrape under way has ended. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#scraping
  }

  async #scrapeOn(): Promise<void> {
    while (!this.#isOver) {
      await this.#scrape()
      await sleep(everyMs)
    }
  }

  async #scrape(): Promise<void> {
    const startedAt = performance.now()
    try {
      const response = await fetch(this.#url, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(patienceMs),
      })
      const text = await response.text()
      // A scrape that was cut off with the worker that answered it, or that failed, tells no totals.
      if (response.ok) this.#compare(text)
    } catch {
    } finally {
      this.longestMs = Math.max(this.longestMs, performance.now() - startedAt)
    }
  }

  #compare(text: string): void {
    this.answered++
    const totals = totalsIn(text)
    for (const [series, value] of this.#last) {
      const total = totals.get(series)
      if (total === undefined || total < value) this.falls.push(`${series} from ${value} to ${total}`)
    }
    for (const [series, value] of totals) this.#last.set(series, value)
  }
}

/** The samples of counters and histograms in the classic text format, by name and labels. */
function totalsIn(text: string): Map<string, number> {
  const growing = new Set(
    [...text.matchAll(/^# TYPE (\S+) (?:counter|histogram)$/gm)].map(([, name]) => name!),
  )
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const totals = samples.map((line): [string, number] => {
    const blank = line.lastIndexOf(' ')
    return [line.slice(0, blank), Number(line.slice(blank + 1))]
  })
  return new Map(totals.filter(([series]) => growing.has(metricOf(series))))
}

function metricOf(series: string): string {
  return series.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '')
}
