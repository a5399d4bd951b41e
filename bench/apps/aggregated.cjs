// prom-client's own aggregation over node:cluster, as its documentation shows it: GET /metrics on a port of the
// primary. The workers run this file too.
const cluster = require('node:cluster')
const { createServer } = require('node:http')
const client = require('prom-client')

if (cluster.isPrimary) {
  const registry = new client.AggregatorRegistry()
  for (let started = 0; started < Number(process.env.WORKERS); started++) cluster.fork()
  cluster.on('exit', () => cluster.fork())
  const server = createServer((_request, response) => {
    registry.clusterMetrics().then(
      (text) => response.end(text),
      (failure) => response.writeHead(500).end(failure.message),
    )
  })
  server.listen(Number(process.env.METRICS_PORT))
} else {
  new client.AggregatorRegistry()
  const express = require('express')
  const { count, block } = require('./counting.cjs')
  const app = express()
  app.get('/orders', count)
  app.get('/block', block)
  require('./serve.cjs').serve(app)
}
