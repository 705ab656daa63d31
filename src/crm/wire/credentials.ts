/** What a request carries to be let in. */
export interface Credentials {
  /** Tells one from the next. */
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Gives the credentials to use now. `rejected` is the token the server just answered 401 to: an
 * OAuth provider refreshes it and gives another.
 */
export type CredentialsProvider = (rejected?: string) => Promise<Credentials>;

/** A key, which stays what it is. */
export function keyCredentials(
  key: string,
  headers: Readonly<Record<string, string>>,
): CredentialsProvider {
  const credentials: Credentials = { token: key, headers };
  return async () => credentials;
}
