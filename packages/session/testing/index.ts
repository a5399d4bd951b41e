export { testExpiryIndex } from './expiry-index-contract.ts'
export {
  type MakeSessionBackend,
  type SessionBackendTools,
  testSessionBackend,
} from './session-backend-contract.ts'
export { testUserIndex } from './user-index-contract.ts'
