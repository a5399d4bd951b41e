/** One measured figure, as `--json` writes it. Every value in `arms` comes from the same run. */
export interface Figure {
  readonly id: string
  readonly what: string
  /** The bound that the figure should keep, such as `>= 0.95`; undefined where it only tells how things are. */
  readonly aim?: string | undefined
  /** Null: it never came, within the time that was given to it. */
  readonly value: number | null
  readonly unit: string
  /** Ours, the peers and the limit, in `armsUnit`. */
  readonly arms: Readonly<Record<string, number | null>>
  readonly armsUnit: string
  /**
   * How far the value went from its median over the rounds, as a share of it; above 0.3 the run cannot tell.
   * 0 for what is counted, since there one case decides.
   */
  readonly spread: number
}

/** Takes a number of figures in so many rounds, in which all arms have their turn. */
export type Measurement = (rounds: number) => Promise<Figure[]>

/** All at once, or in groups that can be had alone: `--only`. */
export type Bench =
  | { readonly name: string; readonly run: Measurement }
  | { readonly name: string; readonly groups: Readonly<Record<string, Measurement>> }

/** True if the value keeps the bound that the aim states. */
export function keepsAim({ aim = '', value }: Pick<Figure, 'aim' | 'value'>): boolean {
  if (value === null) return false
  const [sign, bound] = aim.split(' ')
  return sign === '>=' ? value >= Number(bound) : value <= Number(bound)
}
