/** Where Kysely's own plugins keep them, and those of others by their example. */
const places = ['opt', 'opts', 'options'] as const

/** What is known of a plugin that makes other rows of the same answer: its class and its options. */
export function pluginText(plugin: object): string {
  const { name } = plugin.constructor
  const options = places.map((place) => Reflect.get(plugin, place)).find((given) => given !== undefined)
  return options === undefined ? name : name + textOf(options)
}

function textOf(options: unknown): string {
  try {
    return JSON.stringify(options) ?? ''
  } catch {
    return '' // in a circle: no more is known than the name
  }
}
