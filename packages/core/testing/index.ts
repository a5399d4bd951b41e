export { FakeClock } from './fake-clock.ts'
export { RecordedReports } from './recorded-reports.ts'
