export { type SessionsHandler, sessions } from './express/sessions.ts'
