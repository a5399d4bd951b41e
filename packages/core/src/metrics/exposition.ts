/** The two ways of writing metrics down that Prometheus reads. */
export type Exposition = 'classic' | 'openmetrics'

/** As both clients name them. */
export const contentTypes: Readonly<Record<Exposition, string>> = {
  classic: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

export function expositionOf(contentType: string): Exposition {
  return contentType.startsWith('application/openmetrics-text') ? 'openmetrics' : 'classic'
}

/**
 * What a request with this `Accept` gets: OpenMetrics if it is asked for by name, in a version that we write,
 * and with a weight above that of `text/plain`, or with the same and named first. Everyone else gets the
 * classic text, which every reader of metrics knows.
 */
export function chooseExposition(accept = ''): Exposition {
  const ranges = accept.split(',').map(readRange)
  const openMetrics = heaviest(
    ranges.filter(({ type, version }) => type === 'application/openmetrics-text' && isOurs(version)),
  )
  if (!openMetrics) return 'classic'
  const classic = heaviest(ranges.filter(({ type }) => type === 'text/plain'))
  const rest = heaviest(ranges.filter(({ type }) => type === 'text/*' || type === '*/*'))
  const rival = (classic ?? rest)?.weight ?? 0
  if (openMetrics.weight !== rival) return openMetrics.weight > rival ? 'openmetrics' : 'classic'
  const isFirst = !classic || ranges.indexOf(openMetrics) < ranges.indexOf(classic)
  return isFirst ? 'openmetrics' : 'classic'
}

interface Range {
  readonly type: string
  readonly version: string | undefined
  /** 0 to 1; 0 is a refusal. */
  readonly weight: number
}

/** The first of those that weigh most, refused ones left out. */
function heaviest(ranges: readonly Range[]): Range | undefined {
  const most = Math.max(0, ...ranges.map(({ weight }) => weight))
  return most > 0 ? ranges.find(({ weight }) => weight === most) : undefined
}

function isOurs(version: string | undefined): boolean {
  // 0.0.1 is what Prometheus calls its draft, which reads the same.
  return version === undefined || version === '1.0.0' || version === '0.0.1'
}

/** One media range of an `Accept` header; what cannot be read weighs nothing. */
function readRange(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=')
      return [name.trim(), value.trim().replace(/^"(.*)"$/, '$1')]
    }),
  )
  const q = parameters.get('q') ?? '1'
  const weight = /^(0(\.\d*)?|1(\.0*)?)$/.test(q) ? Number(q) : 0
  return { type, version: parameters.get('version'), weight }
}
