import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { spawnNode } from '@stepladder/core/testing'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Climb } from '../demo/climb-result.ts'
import { exampleFolder, rungs } from '../demo/rung.ts'
import { findChromium } from './chromium.ts'

const climbFile = join(exampleFolder, 'demo', 'climb.ts')
const execArgv = ['--conditions=@stepladder/source']
const noServers = { REDIS_URL: undefined, DATABASE_URL: undefined, VITEST: undefined, NODE_ENV: undefined }

describe('a climb of all rungs', () => {
  let folder: string
  let output: string
  let climb: Climb

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'airline-test-'))
    const demo = spawnNode(climbFile, {
      args: ['--seconds', '1', '--json', 'figures.json'],
      execArgv,
      cwd: folder,
      env: noServers,
    })
    const { code } = await demo.exited
    output = demo.output
    expect(code, output).toBe(0)
    climb = JSON.parse(await readFile(join(folder, 'figures.json'), 'utf8'))
  }, 180_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('prints a line for each rung', () => {
    for (const { folder: name } of rungs) expect(output).toMatch(new RegExp(`^${name} +\\d+ `, 'm'))
  })

  test('keeps every promise at every rung, but for the carts where nothing shares them', () => {
    const broken = climb.rungs.flatMap(({ folder: name, findings }) =>
      findings.filter(({ isGood }) => !isGood).map(({ what }) => `${name}: ${what}`),
    )
    expect(['', '1-cluster: carts']).toContain(broken.join())
    expect(climb.rungs.map(({ carts }) => carts.of).every((carts) => carts > 0)).toBe(true)
  })

  test('needs fewer queries per request with the cache than without', () => {
    const queries = (number: number) => climb.rungs[number]!.queriesPerRequest
    expect(queries(3)).toBeLessThan(queries(2))
  })

  test('the report shows its plots and figures in a browser, in light and dark, without any network', async ({
    skip,
  }) => {
    const found = await findChromium()
    if ('missing' in found) skip(`no Chromium: ${found.missing}`)
    else await lookAtReport(found.path, join(folder, 'demo-report.html'), climb)
  }, 180_000)
})

test('a wrong command line is refused with the usage', async () => {
  const demo = spawnNode(climbFile, { args: ['--rungs', '9'], execArgv })
  expect(await demo.exited).toEqual({ code: 2, signal: null })
  expect(demo.output).toContain('not "9"')
  expect(demo.output).toContain('Usage: npm run demo')
})

test('--help tells every option', async () => {
  const demo = spawnNode(climbFile, { args: ['--help'], execArgv })
  expect(await demo.exited).toEqual({ code: 0, signal: null })
  for (const option of ['--real', '--full', '--rungs', '--seconds', '--json', '--diff']) {
    expect(demo.output).toContain(option)
  }
})

async function lookAtReport(executablePath: string, file: string, climb: Climb): Promise<void> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ colorScheme })
      const asked: string[] = []
      const problems: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      page.on('pageerror', (problem) => problems.push(problem.message))
      page.on('console', (message) => problems.push(message.text()))
      await page.goto(pathToFileURL(file).href)

      const plots = page.getByRole('img')
      expect(await plots.count()).toBe(4 + climb.rungs.length)
      for (const plot of await plots.all()) {
        const box = await plot.boundingBox()
        expect(box?.width).toBeGreaterThan(150)
        expect(box?.height).toBeGreaterThan(80)
      }
      expect(await page.locator('#throughput rect').count()).toBe(climb.rungs.length)
      for (const rung of climb.rungs) {
        const row = page.getByRole('row', { name: rung.folder })
        expect(await row.innerText()).toContain(rung.answeredPerSecond.toFixed(0))
        expect(await page.locator('#throughput').textContent()).toContain(rung.answeredPerSecond.toFixed(0))
      }
      expect(problems).toEqual([])
      expect(asked).toEqual([pathToFileURL(file).href])
      await page.close()
    }
  } finally {
    await browser.close()
  }
}
