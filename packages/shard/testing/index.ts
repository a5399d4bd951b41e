export { type SqlTwin, testSqlTwin } from './sql-twin.ts'
