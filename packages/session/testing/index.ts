export { type MakeSessionBackend, testSessionBackend } from './session-backend-contract.ts'
