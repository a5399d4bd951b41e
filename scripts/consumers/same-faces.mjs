// Runs inside an application: every entry named on the command line must have the same names and the same
// values through `require` and through `import`, or an `instanceof` would be false in half of our users' apps.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

for (const entry of process.argv.slice(2)) {
  const required = require(entry)
  const { default: _, 'module.exports': __, ...imported } = await import(entry)
  const names = new Set([...Object.keys(required), ...Object.keys(imported)])
  if (names.size === 0) throw new Error(`${entry} exports nothing`)
  for (const name of names) {
    if (required[name] !== imported[name])
      throw new Error(`${entry}: ${name} differs between require and import`)
  }
}
