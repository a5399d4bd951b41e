const { pbkdf2Sync } = require('node:crypto')
const { existsSync } = require('node:fs')
const express = require('express')
const { serve } = require('./serve.cjs')

const app = express()
if (existsSync(process.env.BROKEN_IF)) throw new Error('a build that does not start')
app.use((_request, response, next) => {
  response.setHeader('X-Worker', process.pid)
  next()
})
app.get('/', (_request, response) => response.send('hello'))
app.get('/soon', (_request, response) => setTimeout(() => response.send('hello'), 20))
app.get('/compute', (_request, response) => response.send(compute()))
app.get('/hang', (_request, response) => {
  response.send('hello')
  // For ever, as far as the bench looks; but a bench that was interrupted must not leave it behind.
  setTimeout(() => spin(20_000), 10)
})
serve(app)

// The same work each time, a few milliseconds of it; not in JavaScript, which the engine may run better or worse.
function compute() {
  return pbkdf2Sync('bench', 'salt', 25_000, 32, 'sha256').toString('hex')
}

function spin(ms) {
  const end = Date.now() + ms
  while (Date.now() < end);
}
