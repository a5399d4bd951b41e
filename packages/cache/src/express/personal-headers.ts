/** Headers that say who asks. In a key they stand as hashes: many are secrets. In small letters. */
export const personalHeaders: ReadonlySet<string> = new Set([
  ...['authorization', 'cookie', 'proxy-authorization'],
  // Credentials of other makes.
  ...['x-api-key', 'api-key', 'apikey', 'x-auth-token', 'x-access-token', 'x-id-token', 'x-session-id'],
  ...['x-client-cert', 'ssl-client-cert', 'x-ssl-client-cert', 'x-forwarded-client-cert', 'client-cert'],
  // What proxies that let users log in tell the app behind them.
  ...['x-user', 'x-user-id', 'x-user-email', 'remote-user', 'x-remote-user', 'x-forwarded-user'],
  ...['x-forwarded-email', 'x-forwarded-groups', 'x-forwarded-preferred-username'],
  ...['x-forwarded-access-token', 'x-auth-request-user', 'x-auth-request-email', 'x-auth-request-groups'],
  ...['x-auth-request-preferred-username', 'x-auth-request-access-token', 'x-authenticated-user'],
  // The same, by cloud.
  ...['x-amzn-oidc-identity', 'x-amzn-oidc-data', 'x-amzn-oidc-accesstoken', 'x-goog-iap-jwt-assertion'],
  ...['x-goog-authenticated-user-id', 'x-goog-authenticated-user-email', 'cf-access-jwt-assertion'],
  ...['cf-access-authenticated-user-email', 'x-ms-client-principal', 'x-ms-client-principal-id'],
  ...['x-ms-client-principal-name', 'x-ms-token-aad-access-token', 'tailscale-user-login'],
])
