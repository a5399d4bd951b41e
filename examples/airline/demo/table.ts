import type { Figures } from './figures.ts'

interface Column {
  readonly title: string
  readonly width: number
  readonly cell: (figures: Figures) => string
}

const columns: readonly Column[] = [
  { title: 'rung', width: -12, cell: ({ folder }) => folder },
  { title: 'requests/s', width: 10, cell: ({ answeredPerSecond }) => answeredPerSecond.toFixed(0) },
  { title: 'p50 ms', width: 8, cell: ({ p50Ms }) => milliseconds(p50Ms) },
  { title: 'p99 ms', width: 8, cell: ({ p99Ms }) => milliseconds(p99Ms) },
  { title: 'queries/req', width: 11, cell: ({ queriesPerRequest }) => queriesPerRequest.toFixed(2) },
  { title: 'errors', width: 7, cell: ({ errorShare }) => `${(errorShare * 100).toFixed(1)} %` },
  { title: 'carts kept', width: 11, cell: ({ carts }) => `${carts.kept}/${carts.of}` },
  { title: 'checks', width: -7, cell: ({ findings }) => brokenOnes(findings) },
]

export function tableHead(): string {
  return `${line(({ title }) => title)}\n${line(({ width }) => '─'.repeat(Math.abs(width)))}`
}

export function tableLine(figures: Figures, remark: string): string {
  return `${line(({ cell }) => cell(figures))}${remark === '' ? '' : `\n  ${remark}`}`
}

function line(text: (column: Column) => string): string {
  return columns
    .map((column) => pad(text(column), column.width))
    .join('  ')
    .trimEnd()
}

function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width)
}

function milliseconds(ms: number): string {
  return Number.isNaN(ms) ? '–' : ms.toFixed(ms < 10 ? 1 : 0)
}

function brokenOnes(findings: Figures['findings']): string {
  const broken = findings.filter(({ isGood }) => !isGood).map(({ what }) => what)
  return broken.length === 0 ? 'ok' : `broken: ${broken.join(', ')}`
}
