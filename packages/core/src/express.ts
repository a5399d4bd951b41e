export { type HealthHandler, health } from './express/health.ts'
export {
  type MetricsMiddleware,
  type MetricsMiddlewareOptions,
  metrics,
  type RoutedRequest,
} from './express/metrics.ts'
