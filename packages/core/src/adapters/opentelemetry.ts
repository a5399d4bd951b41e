import { type Clock, systemClock } from '../clock.ts'
import { errorTypeOf } from '../error-type.ts'
import { InvalidOptionError } from '../errors.ts'
import { harmless } from '../harmless.ts'
import { operationBuckets } from '../metrics/buckets.ts'
import { other, SeriesCap } from '../metrics/series-cap.ts'
import { checkOptionNames } from '../options.ts'
import { isFailure, type Report, type Reporter, reportTo } from '../report.ts'

export interface OpenTelemetryReporterOptions {
  /** Of `@opentelemetry/api`: `trace.getTracer('my-app')`. Without it there are no spans. */
  readonly tracer?: OtelTracer | undefined
  /** Of `@opentelemetry/api`: `metrics.getMeter('my-app')`. Without it nothing is counted. */
  readonly meter?: OtelMeter | undefined
  readonly clock?: Clock | undefined
}

type Attributes = Record<string, string | number>

/** What is used of OpenTelemetry's tracer; any version of its API fits. */
export interface OtelTracer {
  startSpan(name: string, options?: OtelSpanOptions): OtelSpan
}

export interface OtelSpanOptions {
  kind?: 0 | 1 | 2 | 3 | 4
  attributes?: Attributes
  startTime?: number
}

export interface OtelSpan {
  setStatus(status: { code: 0 | 1 | 2; message?: string }): unknown
  recordException(exception: Error | string, time?: number): void
  end(endTime?: number): void
}

/** What is used of OpenTelemetry's meter; any version of its API fits. */
export interface OtelMeter {
  createHistogram(name: string, options?: OtelHistogramOptions): OtelHistogram
}

export interface OtelHistogramOptions {
  description?: string
  unit?: string
  advice?: { explicitBucketBoundaries?: number[] }
}

export interface OtelHistogram {
  record(value: number, attributes?: Attributes): void
}

/** A part of this process; the client that asks a server has a span of its own kind, where it is traced. */
const internal = 0
const statusError = 2
/** Combinations of name, operation, outcome and error of one component. */
const mostSeries = 1_000
/** Each component has a histogram of its own. */
const mostComponents = 30

/**
 * Makes of each report a span, started in the past as a child of what is active, or a record of the histogram
 * `stepladder.<component>.operation.duration` in seconds, or both. Names: docs/reference/metrics.md. Never
 * throws: what cannot be traced or counted is said once on stderr. Throws `InvalidOptionError` at construction
 * when it is given neither a tracer nor a meter.
 */
export function openTelemetryReporter(options: OpenTelemetryReporterOptions): Reporter {
  const owner = 'openTelemetryReporter'
  checkOptionNames(owner, options, ['tracer', 'meter', 'clock'])
  const { tracer, meter, clock = systemClock } = options
  if (tracer === undefined && meter === undefined) {
    throw new InvalidOptionError(owner, 'tracer', tracer, 'a tracer, or there must be a `meter`')
  }
  return reportTo(
    ...(tracer ? [harmless('traced', spans(tracer, clock))] : []),
    ...(meter ? [harmless('counted', durations(meter))] : []),
  )
}

function spans(tracer: OtelTracer, clock: Clock): Reporter {
  return (report) => {
    const { component, name, operation, outcome, ms, cause } = report
    const endTime = clock.now()
    const attributes = { name, operation, outcome, error: errorOf(report) }
    const span = tracer.startSpan(`${component}.${operation} ${name}`, {
      kind: internal,
      startTime: endTime - ms,
      attributes: { 'stepladder.component': component, ...attributesOf(attributes) },
    })
    if (cause !== undefined) span.recordException(cause instanceof Error ? cause : String(cause), endTime)
    if (isFailure(report)) span.setStatus({ code: statusError, message: messageOf(cause) })
    span.end(endTime)
  }
}

type SeriesLabel = 'name' | 'operation' | 'outcome' | 'error'

function durations(meter: OtelMeter): Reporter {
  const components = new Map<string, (report: Report) => void>()
  return (report) => {
    const isRoom = components.has(report.component) || components.size < mostComponents
    const component = isRoom ? report.component : other
    const record = components.get(component) ?? durationsOf(component, meter)
    components.set(component, record)
    record(report)
  }
}

function durationsOf(component: string, meter: OtelMeter): (report: Report) => void {
  const histogram = meter.createHistogram(`stepladder.${component}.operation.duration`, {
    description: `How long operations of ${component} took, by outcome`,
    unit: 's',
    advice: { explicitBucketBoundaries: operationBuckets },
  })
  const series = new SeriesCap<SeriesLabel>(mostSeries, 'name')
  return (report) => {
    const { name, operation, outcome, ms } = report
    const labels = series.of({ name, operation, outcome, error: errorOf(report) })
    histogram.record(ms / 1_000, attributesOf(labels))
  }
}

function attributesOf({ name, operation, outcome, error }: Record<SeriesLabel, string>): Attributes {
  const own = { 'stepladder.name': name, 'stepladder.operation': operation, 'stepladder.outcome': outcome }
  return error === '' ? own : { ...own, 'error.type': error }
}

/** Empty where the operation did well: its conventions keep `error.type` for what failed. */
function errorOf(report: Report): string {
  return isFailure(report) ? errorTypeOf(report.cause) : ''
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
