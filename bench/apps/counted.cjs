// An app with a metric of its own, served for all workers by our middleware: GET /metrics on its port.
const client = require('prom-client')
const express = require('express')
const { metrics } = require('@stepladder/core/express')
const { serve } = require('./serve.cjs')
const { count, block } = require('./counting.cjs')

const app = express()
app.use(metrics({ client }))
app.get('/orders', count)
app.get('/block', block)
serve(app)
