/** One measured figure, as `--json` writes it. Every value in `arms` comes from the same run. */
export interface Figure {
  readonly id: string
  readonly what: string
  /** The bound that the figure should keep, such as `>= 0.95`. */
  readonly aim: string
  readonly value: number
  readonly unit: string
  /** Ours, the peers and the limit, in `armsUnit`. */
  readonly arms: Readonly<Record<string, number>>
  readonly armsUnit: string
  /** How far the value went from its median over the rounds, as a share of it; above 0.3 the run cannot tell. */
  readonly spread: number
}

export interface Bench {
  readonly name: string
  run(rounds: number): Promise<Figure[]>
}

/** True if the value keeps the bound that the aim states. */
export function keepsAim({ aim, value }: Pick<Figure, 'aim' | 'value'>): boolean {
  const [sign, bound] = aim.split(' ')
  return sign === '>=' ? value >= Number(bound) : value <= Number(bound)
}
