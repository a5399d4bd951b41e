/** What values beyond the cap are counted as. */
export const other = 'other'

/**
 * Bounds the series of one metric, whatever an app gives for label values: beyond `most` of them the label
 * `yielding` (the one that an app may give too many values to) becomes `other`, and beyond a tenth more, every
 * label does. A series that is known stays as it is.
 */
export class SeriesCap<Label extends string> {
  readonly #most: number
  readonly #yielding: Label
  readonly #known = new Map<string, Record<Label, string>>()

  constructor(most: number, yielding: Label) {
    this.#most = most
    this.#yielding = yielding
  }

  /** The labels to count it under; the same object each time, for the same values in the same order. */
  of(labels: Record<Label, string>): Record<Label, string> {
    const known = this.#known.get(keyOf(labels))
    if (known) return known
    if (this.#known.size < this.#most) return this.#keep(labels)

    const narrowed = { ...labels, [this.#yielding]: other }
    const isRoom = this.#known.size < this.#most * 1.1
    return this.#known.get(keyOf(narrowed)) ?? this.#keep(isRoom ? narrowed : allOther(labels))
  }

  #keep(labels: Record<Label, string>): Record<Label, string> {
    this.#known.set(keyOf(labels), labels)
    return labels
  }
}

function keyOf(labels: Record<string, string>): string {
  let key = ''
  // No label value that we are given has a zero byte in it by accident.
  for (const label in labels) key += `${labels[label]}\0`
  return key
}

function allOther<Label extends string>(labels: Record<Label, string>): Record<Label, string> {
  const entries = Object.keys(labels).map((label) => [label, other])
  // The same keys, each with a string.
  return Object.fromEntries(entries) as Record<Label, string>
}
