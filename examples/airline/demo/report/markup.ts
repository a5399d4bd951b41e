/** Text as it may stand between tags and in quoted attributes. */
export function escapeText(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character]!)
}

/** One element; numbers are rounded, for a picture needs no more than a tenth of a pixel. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly string[]
): string {
  const list = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 10) / 10) : escapeText(value)
    return ` ${key}="${text}"`
  })
  return `<${name}${list.join('')}>${children.join('')}</${name}>`
}

export interface PictureOptions {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly title: string
  /** What the picture shows, for those who do not see it: with its figures. */
  readonly description: string
}

/** A picture that grows with the page, and is read out as its title and description. */
export function picture(
  { id, width, height, title, description }: PictureOptions,
  ...parts: string[]
): string {
  return element(
    'svg',
    {
      id,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'aria-labelledby': `${id}-title ${id}-description`,
    },
    element('title', { id: `${id}-title` }, escapeText(title)),
    element('desc', { id: `${id}-description` }, escapeText(description)),
    ...parts,
  )
}

/** A text in a picture; `css` names its kind: `label`, `value`, `tick`. */
export function svgText(x: number, y: number, css: string, text: string, anchor = 'start'): string {
  return element('text', { x, y, class: css, 'text-anchor': anchor }, escapeText(text))
}
