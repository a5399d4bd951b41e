import { LogScale } from './log-scale.ts'
import { element, escapeText, picture, svgText } from './markup.ts'

export interface Range {
  readonly label: string
  readonly p50Ms: number
  readonly p99Ms: number
}

const width = 480
const left = 92
const right = 64
const rowHeight = 30

/** From the median to the 99th percentile of each rung, on a scale where equal ratios are equally far. */
export function rangePlot({
  id,
  title,
  ranges,
}: {
  id: string
  title: string
  ranges: readonly Range[]
}): string {
  const values = ranges.flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms])
  const scale = new LogScale(values, left, width - right)
  const bottom = ranges.length * rowHeight
  const grid = scale.ticks.map((tick) => {
    const x = scale.at(tick)
    return (
      element('line', { x1: x, x2: x, y1: 2, y2: bottom, class: 'grid' }) +
      svgText(x, bottom + 16, 'tick', `${tick} ms`, 'middle')
    )
  })
  const rows = ranges.map((range, index) => row(range, scale, index * rowHeight + rowHeight / 2))
  const description = ranges.map(inWords).join('; ')
  return picture({ id, width, height: bottom + 24, title, description }, ...grid, ...rows)
}

function row(range: Range, scale: LogScale, y: number): string {
  const label = svgText(left - 10, y + 4, 'label', range.label, 'end')
  if (!Number.isFinite(range.p99Ms)) return label + svgText(left + 8, y + 4, 'value', 'no answer')
  const [x50, x99] = [scale.at(range.p50Ms), scale.at(range.p99Ms)]
  return [
    label,
    element(
      'g',
      {},
      element('title', {}, escapeText(inWords(range))),
      element('line', { x1: x50, x2: x99, y1: y, y2: y, class: 'span' }),
      element('circle', { cx: x50, cy: y, r: 5.5, class: 'p50' }),
      // Another shape, not only another colour.
      element('rect', {
        x: x99 - 5,
        y: y - 5,
        width: 10,
        height: 10,
        class: 'p99',
        transform: `rotate(45 ${x99.toFixed(1)} ${y})`,
      }),
    ),
    svgText(x99 + 12, y + 4, 'value', milliseconds(range.p99Ms)),
  ].join('')
}

function inWords({ label, p50Ms, p99Ms }: Range): string {
  if (!Number.isFinite(p99Ms)) return `${label}: no answer`
  return `${label}: p50 ${milliseconds(p50Ms)}, p99 ${milliseconds(p99Ms)}`
}

/** With one digit after the point where that says something. */
export function milliseconds(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`
}
