import type { Climb } from './climb.ts'
export function renderReport(climb: Climb): string {
  return `<!doctype html><pre>${JSON.stringify(climb)}</pre>`
}
