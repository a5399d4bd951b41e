export {
  type MakeSessionBackend,
  type SessionBackendTools,
  testSessionBackend,
} from './session-backend-contract.ts'
