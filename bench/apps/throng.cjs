// throng as its manual shows it, over the app that the arguments name. WORKERS says how many.
const throng = require('throng')

const app = process.argv[2]
throng({ count: Number(process.env.WORKERS), grace: 5_000, worker: () => require(app) })
