import type { Figures } from './figures.ts'

/** What the figures say about a rung, against the one measured before it. Nothing is said that they do not say. */
export function remark(figures: Figures, before: Figures | undefined): string {
  const sentences = before === undefined ? [overload(figures)] : [comparison(figures, before)]
  const lost = figures.carts.of - figures.carts.kept
  if (lost > 0) sentences.push(`${lost} of ${figures.carts.of} carts lost`)
  sentences.push(...figures.deaths)
  if (figures.generatorLagMs > lateMs) {
    sentences.push(`the load generator itself was ${round(figures.generatorLagMs)} ms late: it was the limit`)
  }
  return sentences.filter(Boolean).join('; ')
}

/** A generator later than this has not offered what it says it has. */
const lateMs = 100
/** Below this, a difference is the noise of a short run on a busy machine; the slowest hundredth is all noise. */
const noise = 0.1
const p99Noise = 0.5

function overload({ errorShare }: Figures): string {
  return errorShare > 0.01 ? `cannot keep up with what is offered: ${percent(errorShare)} get no answer` : ''
}

function comparison(now: Figures, before: Figures): string {
  const changes = [
    change('requests/s', now.answeredPerSecond, before.answeredPerSecond, { more: 'better', noise }),
    change('p99', now.p99Ms, before.p99Ms, { more: 'worse', noise: p99Noise }),
    change('queries per request', now.queriesPerRequest, before.queriesPerRequest, { more: 'worse', noise }),
  ].filter((entry) => entry !== undefined)
  const better = changes.filter(({ isBetter }) => isBetter)
  const worse = changes.filter(({ isBetter }) => !isBetter)
  const list = (entries: readonly Change[]) => entries.map(({ text }) => text).join(', ')

  if (better.length === 0) {
    const why = reason(now, before)
    return `no gain in speed on this machine${worse.length > 0 ? `: ${list(worse)}` : ''}${why}`
  }
  return list(better) + (worse.length > 0 ? `, but ${list(worse)}` : '')
}

/** Why a rung shows no gain, as far as the figures tell. */
function reason(now: Figures, before: Figures): string {
  if (before.errorShare < 0.01) return '; all that is offered was answered already'
  return now.machineBusy > 0.9 ? `; all cores were busy (${percent(now.machineBusy)})` : ''
}

interface Change {
  readonly text: string
  readonly isBetter: boolean
}

function change(
  what: string,
  now: number,
  before: number,
  { more, noise }: { more: 'better' | 'worse'; noise: number },
): Change | undefined {
  const ratio = now / before
  if (!(ratio > 1 + noise || ratio < 1 / (1 + noise))) return undefined
  const isMore = ratio > 1
  const text =
    ratio >= 2 || ratio <= 0.5
      ? times(what, ratio)
      : `${what} ${isMore ? '+' : '−'}${percent(Math.abs(ratio - 1))}`
  return { text, isBetter: isMore === (more === 'better') }
}

function times(what: string, ratio: number): string {
  return ratio > 1 ? `${what} × ${round(ratio)}` : `${what} ÷ ${round(1 / ratio)}`
}

function round(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`
}
