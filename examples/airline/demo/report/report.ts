import type { Climb } from '../climb-result.ts'
import { barPlot } from './bar-plot.ts'
import { escapeText } from './markup.ts'
import { milliseconds, rangePlot } from './range-plot.ts'
import { style } from './style.ts'
import { timePlot } from './time-plot.ts'

/** The whole climb as one page that stands by itself. */
export function renderReport(climb: Climb): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The airline climbs the ladder</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>The airline climbs the ladder</h1>
<p class="muted">${escapeText(`${climb.machine} · ${climb.stands} · ${climb.flights.toLocaleString('en')} flights`)}</p>
<p>${escapeText(summary(climb))}</p>
${table(climb)}
<h2>What each rung did</h2>
${plots(climb)}
<h2>While the load was on</h2>
<p class="muted">${key}Milliseconds, by half second. One scale for all.</p>
${moments(climb)}
<h2>What had to hold</h2>
<p class="muted">Speed that loses a booking is no gain. Each rung was held against its databases and against the
monolith.</p>
${checks(climb)}
<h2>How it was measured</h2>
<p>${escapeText(method(climb))}</p>
</main>
</body>
</html>
`
}

function summary({ rungs }: Climb): string {
  const [first, last] = [rungs[0]!, rungs.at(-1)!]
  const now = `${last.answeredPerSecond.toFixed(0)} requests/s, p99 ${milliseconds(last.p99Ms)}, ${last.queriesPerRequest.toFixed(2)} queries per request`
  if (first === last) return `At ${first.folder}: ${now}.`
  const before = `${first.answeredPerSecond.toFixed(0)} requests/s, p99 ${milliseconds(first.p99Ms)}, ${first.queriesPerRequest.toFixed(2)} queries per request`
  return `At ${first.folder}: ${before}. At ${last.folder}, under the same load: ${now}.`
}

function table({ rungs, offeredPerSecond }: Climb): string {
  const rows = rungs.map((rung) => {
    const cells = [
      rung.answeredPerSecond.toFixed(0),
      milliseconds(rung.p50Ms),
      milliseconds(rung.p99Ms),
      rung.queriesPerRequest.toFixed(2),
      percent(rung.errorShare),
      `${rung.carts.kept}/${rung.carts.of}`,
      escapeText(rung.remark),
    ]
    return `<tr><th scope="row">${escapeText(rung.folder)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  const heads = [
    'rung',
    'requests/s',
    'p50',
    'p99',
    'queries per request',
    'errors',
    'carts kept',
    'against the rung before',
  ]
  return `<div class="scroll"><table>
<caption>${Math.round(offeredPerSecond)} requests per second were offered to every rung.</caption>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table></div>`
}

function plots({ rungs, offeredPerSecond }: Climb): string {
  const bars = (value: (rung: Climb['rungs'][number]) => number) =>
    rungs.map((rung) => ({ label: rung.folder, value: value(rung) }))
  const offered = { label: `offered: ${Math.round(offeredPerSecond)}`, value: offeredPerSecond }
  const throughput = barPlot({
    id: 'throughput',
    title: 'Requests answered per second',
    bars: bars(({ answeredPerSecond }) => answeredPerSecond),
    format: (value) => value.toFixed(0),
    reference: offered,
  })
  const latency = rangePlot({
    id: 'latency',
    title: 'Latency',
    ranges: rungs.map((rung) => ({ ...rung, label: rung.folder })),
  })
  const queries = barPlot({
    id: 'queries',
    title: 'Database queries per request',
    bars: bars(({ queriesPerRequest }) => queriesPerRequest),
    format: (value) => value.toFixed(2),
  })
  const errors = barPlot({
    id: 'errors',
    title: 'Requests without a good answer',
    bars: bars(({ errorShare }) => errorShare),
    format: percent,
  })
  return `<div class="plots">
${figure('Requests answered per second', throughput)}
${figure('Latency', latency, `${key}From when a request was meant to be sent.`)}
${figure('Database queries per request', queries)}
${figure('Requests without a good answer', errors, 'Turned away, failed, or later than two seconds.')}
</div>`
}

function moments({ rungs, seconds }: Climb): string {
  const latenciesMs = rungs.flatMap(({ timeline }) =>
    timeline.flatMap(({ p50Ms, p99Ms }) => [p50Ms ?? 1, p99Ms ?? 1]),
  )
  const figures = rungs.map(({ folder, rung, timeline }) =>
    figure(
      folder,
      timePlot({
        id: `time-${rung}`,
        title: `Latency over time at ${folder}`,
        moments: timeline,
        seconds,
        latenciesMs,
      }),
    ),
  )
  return `<div class="moments">${figures.join('\n')}</div>`
}

function checks({ rungs }: Climb): string {
  const lists = rungs.map(({ folder, findings }) => {
    const items = findings.map(
      ({ isGood, detail }) =>
        `<li${isGood ? '' : ' class="bad"'}><b>${isGood ? '✓' : '✗'}</b>${escapeText(detail)}</li>`,
    )
    return figure(folder, `<ul class="checks">${items.join('')}</ul>`)
  })
  return `<div class="moments">${lists.join('\n')}</div>`
}

function method({ offer, seconds, rungs, busyBefore }: Climb): string {
  const lag = Math.max(...rungs.map(({ generatorLagMs }) => generatorLagMs))
  const cores = Math.max(...rungs.map(({ generatorCores }) => generatorCores))
  return (
    `Beforehand: ${offer}. The same visits went to every rung at that rate, at random moments, whether or not ` +
    `answers came ("open loop"), for ${seconds} s after one second of warming; the airports by Zipf's law. Latency ` +
    `counts from when a visit was meant to be sent. Each rung began with fresh databases. The generator shared ` +
    `the machine with the airline: it used up to ${cores.toFixed(2)} of a core and was at most ${milliseconds(lag)} late ` +
    `(99th percentile). Other work kept the machine ${percent(busyBefore)} busy before the demo began.`
  )
}

function figure(title: string, content: string, caption = ''): string {
  const below = caption === '' ? '' : `<figcaption>${caption}</figcaption>`
  return `<figure><h3>${escapeText(title)}</h3>${content}${below}</figure>`
}

const key = '<span class="key">median</span><span class="key of-p99">99th percentile</span>'

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
