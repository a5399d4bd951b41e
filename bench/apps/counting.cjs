const client = require('prom-client')

const orders = new client.Counter({ name: 'orders_total', help: 'Orders', labelNames: ['kind'] })
const sizes = new client.Histogram({ name: 'order_size', help: 'Sizes', buckets: [1, 5, 10] })

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
