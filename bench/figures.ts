import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { type Figure, keepsAim } from './figure.ts'

/** What one run measured: told line by line as it comes, and written to a file for machines at its end. */
export class Figures {
  readonly #rounds: number
  readonly #figures: Figure[] = []

  constructor(rounds: number) {
    this.#rounds = rounds
  }

  add(figures: readonly Figure[]): void {
    this.#figures.push(...figures)
    for (const figure of figures) console.log(lines(figure))
  }

  async write(file: string): Promise<void> {
    const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version }
    const content = { machine, rounds: this.#rounds, figures: this.#figures }
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`)
  }
}

function lines(figure: Figure): string {
  const { id, what, aim, value, unit, arms, armsUnit, spread } = figure
  const verdict = spread > 0.3 ? 'too noisy to tell' : keepsAim(figure) ? 'kept' : 'MISSED'
  const measured = Object.entries(arms).map(([name, arm]) => `${name} ${display(arm)}`)
  const bound = aim === undefined ? '' : ` (aim ${aim}: ${verdict})`
  return `  ${id}: ${display(value)} ${unit}${bound}  ${what}\n      ${measured.join(', ')} ${armsUnit}`
}

function display(value: number | null): string {
  if (value === null) return 'never'
  if (Number.isInteger(value) || value >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
