import type { Report } from '../report.ts'
import type { Histogram } from './prom-client.ts'
import { other, SeriesCap } from './series-cap.ts'

/** Each component has a histogram of its own; an app that invents components gets no more than these. */
const mostComponents = 30
/** Series of one component: combinations of name, operation and outcome. */
const mostSeries = 500

type SeriesLabel = 'name' | 'operation' | 'outcome'

interface OperationHistogram {
  readonly histogram: Histogram
  readonly series: SeriesCap<SeriesLabel>
}

/** `stepladder_<component>_operation_seconds`, made when its component first reports. */
export class OperationHistograms {
  readonly #make: (name: string, help: string, labelNames: string[]) => Histogram
  readonly #components = new Map<string, OperationHistogram>()

  constructor(make: (name: string, help: string, labelNames: string[]) => Histogram) {
    this.#make = make
  }

  /** Throws when the app's registry has something else by that name. */
  observe({ component, name, operation, outcome, ms }: Report): void {
    const isRoom = this.#components.has(component) || this.#components.size < mostComponents
    const { histogram, series } = this.#of(isRoom ? component : other)
    histogram.observe(series.of({ name, operation, outcome }), ms / 1_000)
  }

  #of(component: string): OperationHistogram {
    const known = this.#components.get(component)
    if (known) return known
    const histogram = this.#make(
      `stepladder_${component}_operation_seconds`,
      `How long operations of ${component} took, by outcome`,
      ['name', 'operation', 'outcome'],
    )
    const made = { histogram, series: new SeriesCap<SeriesLabel>(mostSeries, 'name') }
    this.#components.set(component, made)
    return made
  }
}
