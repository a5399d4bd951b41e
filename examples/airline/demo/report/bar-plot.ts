import { element, escapeText, picture, svgText } from './markup.ts'

export interface Bar {
  readonly label: string
  readonly value: number
}

export interface BarPlotOptions {
  readonly id: string
  readonly title: string
  readonly bars: readonly Bar[]
  readonly format: (value: number) => string
  /** A line that all bars are held against, such as what was offered. */
  readonly reference?: { readonly label: string; readonly value: number } | undefined
}

const width = 480
const left = 92
const right = 64
const rowHeight = 30
const barHeight = 16

/** One horizontal bar for each rung, with its value at its end. */
export function barPlot({ id, title, bars, format, reference }: BarPlotOptions): string {
  const most = Math.max(...bars.map(({ value }) => value), reference?.value ?? 0) || 1
  const length = (value: number) => (value / most) * (width - left - right)
  const height = bars.length * rowHeight + (reference ? 24 : 6)
  const rows = bars.map(({ label, value }, index) => {
    const middle = index * rowHeight + rowHeight / 2
    const shape = { x: left, y: middle - barHeight / 2, height: barHeight, rx: 2, class: 'bar' }
    return [
      svgText(left - 10, middle + 4, 'label', label, 'end'),
      element(
        'rect',
        { ...shape, width: Math.max(1, length(value)) },
        element('title', {}, escapeText(`${label}: ${format(value)}`)),
      ),
      svgText(left + length(value) + 8, middle + 4, 'value', format(value)),
    ].join('')
  })
  const description = bars.map(({ label, value }) => `${label}: ${format(value)}`).join('; ')
  const line = reference
    ? referenceLine(left + length(reference.value), bars.length * rowHeight, reference.label)
    : ''
  return picture({ id, width, height, title, description }, line, ...rows)
}

function referenceLine(x: number, bottom: number, label: string): string {
  return [
    element('line', { x1: x, x2: x, y1: 2, y2: bottom, class: 'reference' }),
    svgText(x, bottom + 16, 'tick', label, 'end'),
  ].join('')
}
