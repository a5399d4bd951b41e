const { isWorker } = require('node:cluster')
const client = require('prom-client')

const orders = new client.Counter({ name: 'orders_total', help: 'Orders', labelNames: ['kind'] })
const sizes = new client.Histogram({ name: 'order_size', help: 'Sizes', buckets: [1, 5, 10] })

// Grows once in a worker's life: what hides a sum that falls by rounding, the next increase, does not come here.
const starts = new client.Histogram({ name: 'start_seconds', help: 'Starts', labelNames: ['step'], buckets: [1] })
if (isWorker) for (let step = 0; step < 20; step++) starts.observe({ step }, Math.random())

exports.count = (_request, response) => {
  orders.inc({ kind: 'any' })
  sizes.observe(Math.random() * 12)
  response.send('counted')
}

exports.block = (_request, response) => {
  response.send('hello')
  setTimeout(() => {
    const end = Date.now() + 6_000
    while (Date.now() < end);
  }, 10)
}
