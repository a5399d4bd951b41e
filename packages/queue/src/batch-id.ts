import { randomUUID } from 'node:crypto'

/**
 * Names one batch for ever: it is the job in Redis, the record in the journal and the row in the ledger, so
 * that a batch delivered twice is known again. It says how many rows it has and since when they wait, so
 * that a backlog can be counted without reading it: `<time, base 36>.<rows>.<uuid>`.
 */
export function makeBatchId(acceptedAt: number, rows: number): string {
  return `${acceptedAt.toString(36).padStart(9, '0')}.${rows}.${randomUUID()}`
}

/** What a batch's name says of it: how many rows, and when the first of them came (ms since the epoch). */
export function readBatchId(id: string): { readonly acceptedAt: number; readonly rows: number } {
  const [time = '', rows = ''] = id.split('.', 2)
  return { acceptedAt: Number.parseInt(time, 36) || 0, rows: Number.parseInt(rows, 10) || 0 }
}
