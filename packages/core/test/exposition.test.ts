import { expect, test } from 'vitest'
import { chooseExposition } from '../src/metrics/exposition.ts'

const openMetrics = 'application/openmetrics-text'

test.each([
  ['nobody', undefined, 'classic'],
  ['curl', '*/*', 'classic'],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'classic'],
  [
    'Prometheus 2',
    `${openMetrics};version=1.0.0,${openMetrics};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
    'openmetrics',
  ],
  [
    'Prometheus 3',
    `${openMetrics};version=1.0.0;escaping=allow-utf-8;q=0.5,${openMetrics};version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`,
    'openmetrics',
  ],
  [
    'Prometheus told to prefer the text',
    `text/plain;version=0.0.4;q=0.5,${openMetrics};version=1.0.0;q=0.4,*/*;q=0.1`,
    'classic',
  ],
  ['who names it alone', openMetrics, 'openmetrics'],
  ['who writes it large', 'APPLICATION/OPENMETRICS-TEXT; Version="1.0.0"', 'openmetrics'],
  ['who names it first of equals', `${openMetrics}, text/plain`, 'openmetrics'],
  ['who names it second of equals', `text/plain, ${openMetrics}`, 'classic'],
  ['who names it beside anything', `*/*, ${openMetrics}`, 'openmetrics'],
  ['who prefers anything', `${openMetrics};q=0.1, */*;q=0.9`, 'classic'],
  ['who refuses it', `${openMetrics};q=0, */*`, 'classic'],
  ['who refuses it alone', `${openMetrics};q=0.000`, 'classic'],
  ['who refuses the text', `text/plain;q=0, ${openMetrics};q=0.1`, 'openmetrics'],
  ['who wants a version that is not written here', `${openMetrics};version=2.0.0`, 'classic'],
  ['who weighs it as nobody can', `${openMetrics};q=much, text/plain;q=0.1`, 'classic'],
  ['who weighs it as nobody may', `${openMetrics};q=7`, 'classic'],
  ['who asks for something else', 'application/json', 'classic'],
  ['who sends nonsense', ',;=,;q=,', 'classic'],
])('%s gets what they can read', (_who, accept, expected) => {
  expect(chooseExposition(accept)).toBe(expected)
})
