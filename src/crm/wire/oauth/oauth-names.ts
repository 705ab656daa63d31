/** What the settings of a login are called where they were given, for hints. */
export interface OAuthNames {
  /** Of the key that a login stands for. */
  readonly key: string;
  /** Of the file that keeps the tokens. */
  readonly file: string;
  readonly clientId: string;
  readonly tokenUrl: string;
  /** Of the port that the browser comes back to. */
  readonly port: string;
}
