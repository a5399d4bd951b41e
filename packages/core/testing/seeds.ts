/**
 * The seeds that a fault test runs with: `usual` of them, or as many as the variable `STEPLADDER_SEEDS` says,
 * counted from 1. One test is then short in every run and long where one asks for it.
 */
export function seeds(usual: number): number[] {
  const asked = Number(process.env.STEPLADDER_SEEDS)
  const count = Number.isInteger(asked) && asked > 0 ? asked : usual
  return Array.from({ length: count }, (_, index) => index + 1)
}
