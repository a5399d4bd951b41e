/** Run as a process of its own: a primary and two workers, each with a store in memory. */
import cluster from 'node:cluster'
import { sessionStore } from '@stepladder/session'

sessionStore()
if (cluster.isPrimary) {
  cluster.fork()
  cluster.fork()
} else {
  cluster.worker?.disconnect()
}
