export { type CsrfHandler, type CsrfOptions, type CsrfRequest, csrf } from './express/csrf.ts'
export {
  type RecentLoginHandler,
  type RecentLoginRequest,
  requireRecentLogin,
} from './express/require-recent-login.ts'
export { type SessionsHandler, sessions } from './express/sessions.ts'
