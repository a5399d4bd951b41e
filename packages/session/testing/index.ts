export { testChangeFeed } from './change-feed-contract.ts'
export { testExpiryIndex } from './expiry-index-contract.ts'
export { testSessionBackend } from './session-backend-contract.ts'
export type {
  BreakableBackendPlace,
  MakeSessionBackend,
  SessionBackendTools,
} from './session-backend-tools.ts'
export { testUserIndex } from './user-index-contract.ts'
