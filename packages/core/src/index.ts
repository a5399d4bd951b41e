export { duplicateRedis } from './adapters/duplicate-redis.ts'
export { type OpenRedisOptions, openRedis } from './adapters/ioredis.ts'
export {
  type OpenTelemetryReporterOptions,
  type OtelHistogram,
  type OtelHistogramOptions,
  type OtelMeter,
  type OtelSpan,
  type OtelSpanOptions,
  type OtelTracer,
  openTelemetryReporter,
} from './adapters/opentelemetry.ts'
export { type OpossumBreakerOptions, opossumBreaker } from './adapters/opossum.ts'
export {
  type RedisHeard,
  RedisListener,
  type RedisListenerOptions,
} from './adapters/redis-listener.ts'
export { RedisListeners } from './adapters/redis-listeners.ts'
export { RedisScript } from './adapters/redis-script.ts'
export {
  isRedisCluster,
  type RedisClusterClient,
  redisKeyPrefix,
  redisMasters,
} from './adapters/redis-servers.ts'
export { type Backoff, type ExponentialBackoffOptions, exponentialBackoff } from './backoff.ts'
export { type Batch, Batches, type BatchesOptions } from './batches.ts'
export { type Breaker, BreakerOpenError, noBreaker } from './breaker.ts'
export { openWorkerChannel, type WorkerChannel, type WorkerChannelOptions } from './channel/worker-channel.ts'
export { ChannelClosedError, ChannelFullError, InvalidMessageError } from './channel/worker-channel-errors.ts'
export { type Clock, type SleepOptions, sleep, systemClock, type Timer } from './clock.ts'
export { type Closeable, closeAll } from './closeable.ts'
export { ClusterCallError } from './cluster/cluster-call.ts'
export type { ClusterOptions, Distribution } from './cluster/cluster-options.ts'
export { CrashLoopError, ReloadFailedError } from './cluster/errors.ts'
export { runCluster } from './cluster/run-cluster.ts'
export type { Workers } from './cluster/workers.ts'
export { DeadlineExceededError, withDeadline } from './deadline.ts'
export { Deadlines, type Waited } from './deadlines.ts'
export { type Duration, parseDuration } from './duration.ts'
export { admitEmbedded, type EmbeddedEngine } from './embedded.ts'
export type { EncryptionKey, EncryptOptions } from './encryption/encrypt-options.ts'
export { encryptionBytes, KeyRing } from './encryption/key-ring.ts'
export {
  EmbeddedEngineError,
  InvalidOptionError,
  isStepladderError,
  MissingPackageError,
  StepladderError,
  UnknownOptionError,
} from './errors.ts'
export { HealthPortError } from './health/health-server.ts'
export { type ReadyCheck, readyWhen } from './health/readiness.ts'
export type { LeaderContext, Leadership, LeaderTask } from './leader/leadership.ts'
export { type LeaderOptions, onLeader } from './leader/on-leader.ts'
export { type Logger, type LogReportsOptions, logReports } from './log-reports.ts'
export { createMetrics, type Metrics, type MetricsOptions, type Scrape } from './metrics/metrics.ts'
export type { Histogram, HistogramConfiguration, MetricsRegistry, PromClient } from './metrics/prom-client.ts'
export type { Operation } from './operation.ts'
export type { OperationTrace } from './operation-channel.ts'
export { checkOptionNames } from './options.ts'
export { reasonOf } from './reason-of.ts'
export type { RedisClient, RedisOption } from './redis.ts'
export {
  begin,
  type End,
  ignoreReports,
  inside,
  isFailure,
  isHeard,
  type Report,
  type Reporter,
  reportTo,
} from './report.ts'
export { type RetryOptions, retry } from './retry.ts'
export { seededRandom } from './seeded-random.ts'
export { closeOnShutdown } from './shutdown.ts'
export { SingleFlight } from './single-flight.ts'
export { parseSize, type Size } from './size.ts'
