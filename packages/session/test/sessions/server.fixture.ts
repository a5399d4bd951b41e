/** Run as a process of its own: the app of the tests, on what the arguments name. Prints its URL. */
import { sessions } from '@stepladder/session/express'
import { startApp } from '../express-app.ts'

const [, , redis = '', prefix = '', together = '1'] = process.argv

startApp({
  middleware: sessions({ redis, prefix, secret: 'for tests only', timeout: '5s' }),
  together: Number(together),
}).then(({ url }) => console.log(`listening at ${url}.`))
