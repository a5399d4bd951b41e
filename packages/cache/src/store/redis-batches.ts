/** What one command may hold Redis up with: well under a millisecond. */
const mostBytes = 256 * 1024
export const mostKeys = 128

/** Splits into runs of at most `most`, in order. */
export function inBatches<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  if (items.length <= most) return items.length === 0 ? [] : [items]
  const batches: (readonly T[])[] = []
  for (let from = 0; from < items.length; from += most) batches.push(items.slice(from, from + most))
  return batches
}

/** Splits what is sent so that no batch but one of a single item is larger than a command may be. */
export function inBatchesOfBytes<T>(
  items: readonly T[],
  most: number,
  bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
  const batches: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const item of items) {
    const size = bytesOf(item)
    const last = batches.at(-1)
    if (last === undefined || last.length === most || bytes + size > mostBytes) {
      batches.push([item])
      bytes = size
    } else {
      last.push(item)
      bytes += size
    }
  }
  return batches
}

/** How large records are of late: nobody knows how much a read will bring. */
export class RecordSizes {
  #typicalBytes = 1_024

  saw(records: readonly (Buffer | null)[]): void {
    for (const record of records) {
      if (record !== null) this.#typicalBytes += (record.length - this.#typicalBytes) / 16
    }
  }

  /** How many of them one command may ask for. */
  get mostAtOnce(): number {
    return Math.max(1, Math.min(mostKeys, Math.floor(mostBytes / this.#typicalBytes)))
  }
}
