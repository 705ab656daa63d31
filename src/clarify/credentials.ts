/** What goes into the `Authorization` header. */
export interface Credentials {
  readonly scheme: 'api-key' | 'Bearer';
  readonly token: string;
}

/**
 * Gives the credentials to use now. `rejected` is the token the server just answered 401 to: an
 * OAuth provider refreshes it and gives another.
 */
export type CredentialsProvider = (rejected?: string) => Promise<Credentials>;

export function apiKeyCredentials(apiKey: string): CredentialsProvider {
  const credentials: Credentials = { scheme: 'api-key', token: apiKey };
  return async () => credentials;
}
