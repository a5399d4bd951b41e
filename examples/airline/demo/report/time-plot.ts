import type { Moment } from '../figures.ts'
import { LogScale } from './log-scale.ts'
import { element, picture, svgText } from './markup.ts'
import { milliseconds } from './range-plot.ts'

export interface TimePlotOptions {
  readonly id: string
  readonly title: string
  readonly moments: readonly Moment[]
  readonly seconds: number
  /** Of all plots on the page, so that they can be held against each other. */
  readonly latenciesMs: readonly number[]
}

const width = 300
const height = 150
const left = 46
const top = 8
const bottom = height - 22

/** How the median and the 99th percentile went while the load was on. */
export function timePlot({ id, title, moments, seconds, latenciesMs }: TimePlotOptions): string {
  const scale = new LogScale(latenciesMs, bottom, top)
  const x = (at: number) => left + (at / seconds) * (width - left - 8)
  const grid = scale.ticks.map((tick) => {
    const y = scale.at(tick)
    return (
      element('line', { x1: left, x2: width - 8, y1: y, y2: y, class: 'grid' }) +
      svgText(left - 6, y + 4, 'tick', `${tick}`, 'end')
    )
  })
  const line = (kind: 'p50' | 'p99') => {
    const points = moments.flatMap((moment) => {
      const ms = kind === 'p50' ? moment.p50Ms : moment.p99Ms
      return ms === null ? [] : [`${x(moment.at).toFixed(1)},${scale.at(ms).toFixed(1)}`]
    })
    return element('polyline', { points: points.join(' '), class: `line ${kind}-line` })
  }
  const axis = [
    svgText(left, height - 4, 'tick', '0 s'),
    svgText(width - 8, height - 4, 'tick', `${seconds} s`, 'end'),
  ]
  return picture(
    { id, width, height, title, description: inWords(moments) },
    ...grid,
    ...axis,
    line('p50'),
    line('p99'),
  )
}

function inWords(moments: readonly Moment[]): string {
  const seen = moments.filter(({ p99Ms }) => p99Ms !== null)
  return seen
    .map(
      ({ at, p50Ms, p99Ms }) => `at ${at} s p50 ${milliseconds(p50Ms ?? 0)}, p99 ${milliseconds(p99Ms ?? 0)}`,
    )
    .join('; ')
}
