/** Run as a process of its own: the app of the tests, on what the arguments name. Prints its URL. */
import { sessionStore } from '@stepladder/session'
import { startApp } from './express-app.ts'
import { sqliteDatabase } from './sqlite-database.ts'

const [, , kind = '', place = '', prefix = '', together = '1'] = process.argv
const options = kind === 'redis' ? { redis: place } : { database: sqliteDatabase(place) }

startApp({
  store: sessionStore({ ...options, prefix, timeout: '5s' }),
  together: Number(together),
}).then(({ url }) => console.log(`listening at ${url}.`))
