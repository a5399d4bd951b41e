const express = require('express')
const { layers } = require('./session-layers.cjs')

// The same routes whatever keeps the sessions, or nothing does: LAYER says what.
const app = express()

start().catch((failure) => {
  console.error(failure)
  process.exit(1)
})

async function start() {
  const layer = await layers[process.env.LAYER]()
  if (layer) app.use(layer)
  addRoutes()
  app.use((failure, _request, response, next) => {
    if (response.headersSent) return next(failure)
    response.status(failure.status ?? 500).send('failed')
  })
  const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`))
  // As behind a load balancer: a connection stays while other servers have their turn.
  server.keepAliveTimeout = 60_000
}

function addRoutes() {
  app.get('/read', (request, response) => {
    response.send(request.session?.user === 'nobody' ? 'never' : 'hello')
  })
  app.get('/write', (request, response) => {
    const { session = {} } = request
    session.count = (session.count ?? 0) + 1
    response.send('hello')
  })
  app.get('/login/:user', (request, response) => {
    const { user } = request.params
    Object.assign(request.session ?? {}, { user, cart: { 17: 2, 4711: 1 }, seen: 'x'.repeat(300) })
    response.send('hello')
  })
  app.get('/show', (request, response) => response.json(request.session))
  app.get('/field/:name', async (request, response) => {
    await pause(20)
    request.session[request.params.name] = true
    response.send('hello')
  })
  app.get('/late/:ms', async (request, response) => {
    await pause(request.params.ms)
    if (request.query.write) request.session.late = request.params.ms
    response.send('hello')
  })
  app.get('/end/:how/:ms', async (request, response, next) => {
    const { how, ms } = request.params
    await pause(ms)
    const end = { logout: 'destroy', regenerate: 'regenerate' }[how]
    request.session[end]((failure) => (failure ? next(failure) : response.send('hello')))
  })
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, Number(ms)))
}
