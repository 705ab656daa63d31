/** What the environment said, checked by itself; null where it said nothing. */
export interface EnvironmentSettings {
  readonly apiKey: string | null;
  readonly workspace: string | null;
  readonly apiUrl: string;
  readonly login: LoginSettings;
  readonly databaseUrl: string | null;
  readonly directUrl: string | null;
  readonly push: boolean;
  readonly configPath: string | null;
  readonly http: { readonly host: string; readonly port: number } | null;
  readonly httpToken: string | null;
  readonly nudgeSecret: string | null;
  readonly logLevel: LogLevel;
}

/** How people sign in, where there is no key. */
export interface LoginSettings {
  readonly clientId: string | null;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** The port of 127.0.0.1 that the browser comes back to; 0 for any free one. */
  readonly port: number;
  /** The file that holds the tokens. */
  readonly path: string;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_API_URL = 'https://api.clarify.ai/v1';
const DEFAULT_AUTHORIZE_URL = 'https://auth1.clarify.ai/oauth2/authorize';
const DEFAULT_TOKEN_URL = 'https://auth1.clarify.ai/oauth2/token';
const DEFAULT_TOKENS = '.clarify-sync/tokens.json';
const DEFAULT_HTTP = '127.0.0.1:8460';

/** What an HTTP header can carry; a key with a line break in it was pasted wrongly. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;
/** It stands in an address, and whoever guesses it may make us work. */
const NUDGE_SECRET = /^[A-Za-z0-9_-]{20,100}$/;
const SLUG = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/;
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether what is sent there can be read on its way. */
function isExposed(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}

function isLogLevel(text: string): text is LogLevel {
  return logLevels.some((level) => level === text);
}

/**
 * Reads every variable, collecting mistakes into `problems`. No mistake quotes what a secret
 * held, and a URL may hold a password.
 */
export async function readEnvironment(
  env: Environment,
  readText: (path: string) => Promise<string>,
  problems: string[],
): Promise<EnvironmentSettings> {
  const plain = (name: string): string | null => env[name]?.trim() || null;

  async function secret(name: string): Promise<string | null> {
    const direct = plain(name);
    const path = plain(`${name}_FILE`);
    if (path === null) return direct;
    if (direct !== null) {
      problems.push(`${name} and ${name}_FILE are both set: keep one`);
      return null;
    }
    try {
      const text = (await readText(path)).trim();
      if (text === '') problems.push(`${name}_FILE: ${path} is empty`);
      return text || null;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      problems.push(`${name}_FILE: ${path} cannot be read (${code})`);
      return null;
    }
  }

  async function token(name: string): Promise<string | null> {
    const value = await secret(name);
    if (value === null || HEADER_SAFE.test(value)) return value;
    problems.push(`${name} holds a space, a line break or a character beyond ASCII`);
    return null;
  }

  async function postgresUrl(name: string): Promise<string | null> {
    const value = await secret(name);
    if (value === null) return null;
    if (!/^postgres(ql)?:\/\//.test(value)) {
      problems.push(`${name} must begin with postgres:// or postgresql://`);
    } else if (!URL.canParse(value)) {
      problems.push(`${name} is not a URL: special characters in its password need %-encoding`);
    }
    return value;
  }

  function webUrl(name: string, fallback: string): string {
    const value = plain(name) ?? fallback;
    const url = URL.canParse(value) ? new URL(value) : null;
    if (url === null || !/^https?:$/.test(url.protocol)) {
      problems.push(`${name} must be an http or https URL`);
    } else if (url.username !== '' || url.password !== '') {
      problems.push(`${name} must hold no user or password`);
    } else if (url.search !== '' || url.hash !== '') {
      problems.push(`${name} must hold no query and no fragment`);
    }
    return value;
  }

  function login(): LoginSettings {
    const port = plain('CLARIFY_OAUTH_PORT') ?? '0';
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      problems.push('CLARIFY_OAUTH_PORT must be a port, such as 8461, or 0 for any free one');
    }
    return {
      clientId: plain('CLARIFY_OAUTH_CLIENT_ID'),
      authorizeUrl: webUrl('CLARIFY_OAUTH_AUTHORIZE_URL', DEFAULT_AUTHORIZE_URL),
      tokenUrl: webUrl('CLARIFY_OAUTH_TOKEN_URL', DEFAULT_TOKEN_URL),
      port: Number(port),
      path: plain('CLARIFY_OAUTH_TOKENS') ?? DEFAULT_TOKENS,
    };
  }

  function workspace(): string | null {
    const value = plain('CLARIFY_WORKSPACE');
    if (value === null || SLUG.test(value)) return value;
    problems.push('CLARIFY_WORKSPACE must be the slug in the address of your workspace');
    return null;
  }

  function onOff(name: string): boolean {
    const value = plain(name) ?? 'off';
    if (value !== 'on' && value !== 'off') problems.push(`${name} must be on or off`);
    return value === 'on';
  }

  function http(): EnvironmentSettings['http'] {
    const value = plain('CLARIFY_SYNC_HTTP') ?? DEFAULT_HTTP;
    if (value === 'off') return null;
    const [, bracketed, bare, port = ''] = HOST_PORT.exec(value) ?? [];
    const host = bracketed ?? bare;
    if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
    problems.push('CLARIFY_SYNC_HTTP must be host:port, such as 127.0.0.1:8460, or off');
    return null;
  }

  function logLevel(): LogLevel {
    const value = plain('CLARIFY_SYNC_LOG') ?? 'info';
    if (isLogLevel(value)) return value;
    problems.push(`CLARIFY_SYNC_LOG must be one of ${logLevels.join(', ')}`);
    return 'info';
  }

  const settings = {
    apiKey: await token('CLARIFY_API_KEY'),
    workspace: workspace(),
    apiUrl: webUrl('CLARIFY_API_URL', DEFAULT_API_URL).replace(/\/+$/, ''),
    login: login(),
    databaseUrl: await postgresUrl('DATABASE_URL'),
    directUrl: await postgresUrl('DATABASE_URL_DIRECT'),
    push: onOff('CLARIFY_SYNC_PUSH'),
    configPath: plain('CLARIFY_SYNC_CONFIG'),
    http: http(),
    httpToken: await token('CLARIFY_SYNC_HTTP_TOKEN'),
    nudgeSecret: await secret('CLARIFY_SYNC_NUDGE_SECRET'),
    logLevel: logLevel(),
  };
  if (settings.http !== null && !isLoopback(settings.http.host) && settings.httpToken === null) {
    problems.push('CLARIFY_SYNC_HTTP_TOKEN is required where CLARIFY_SYNC_HTTP is not loopback');
  }
  if (settings.nudgeSecret !== null && !NUDGE_SECRET.test(settings.nudgeSecret)) {
    problems.push('CLARIFY_SYNC_NUDGE_SECRET needs 20 to 100 characters of A-Z, a-z, 0-9, - and _');
  }
  if (settings.nudgeSecret !== null && settings.http === null) {
    problems.push('CLARIFY_SYNC_NUDGE_SECRET is set and CLARIFY_SYNC_HTTP is off');
  }
  if (isExposed(settings.login.tokenUrl) && !isExposed(settings.apiUrl)) {
    problems.push('CLARIFY_OAUTH_TOKEN_URL must be https: whoever listens would have the tokens');
  }
  if (settings.directUrl !== null && settings.databaseUrl === null) {
    problems.push('DATABASE_URL_DIRECT is set and DATABASE_URL is not');
  }
  return settings;
}
