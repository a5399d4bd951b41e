#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { leavePidOne } from './pid-one.js'

leavePidOne()
// Only now: as process 1 all of this would be loaded twice.
const { main } = await import('@stepladder/core/cli')
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const preload = fileURLToPath(new URL('./worker.cjs', import.meta.url))
process.exitCode = await main(process.argv.slice(2), { preload, version })
