import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../domain/errors.ts';
import {
  type Environment,
  type LoginSettings,
  type LogLevel,
  readEnvironment,
} from './environment.ts';
import { type ConfigFile, parseConfigFile } from './file.ts';

export { type ObjectSettings, objectSettings, unknownNames } from './objects.ts';

/** Everything that can be set, checked and complete. Durations end in `Ms`; null is for ever. */
export interface Config {
  readonly clarify: {
    /** Null where a login stands for it, or the command asked for no remote. */
    readonly apiKey: string | null;
    /** The file of a login that is used because there is no key; null where there is none. */
    readonly tokens: string | null;
    readonly workspace: string | null;
    /** Without a slash at its end. */
    readonly url: string;
  };
  /** For whoever signs in. */
  readonly login: LoginSettings;
  /** Null: an embedded Postgres. `directUrl` is `url` itself unless a pooler stands between. */
  readonly database: { readonly url: string; readonly directUrl: string } | null;
  readonly push: boolean;
  /** Null: no status server. */
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly token: string | null;
    /** For `POST /nudge/<secret>`; null: there is no such address. */
    readonly nudgeSecret: string | null;
  } | null;
  readonly logLevel: LogLevel;
  readonly objects: ConfigFile['objects'];
  readonly exclude: readonly string[];
  readonly massDelete: { readonly rows: number; readonly percent: number };
  /** Percent of the API's rate limit we may use. */
  readonly allowance: number;
  readonly sweepMs: number;
  readonly retention: {
    readonly outboxMs: number | null;
    readonly conflictsMs: number | null;
    readonly tombstonesMs: number | null;
  };
  /** Whether a publication of the mirror and link tables is kept. */
  readonly publication: boolean;
  readonly grants: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Variables that look like ours and are not: misspelt, most likely. */
  readonly unknownVariables: readonly string[];
}

export interface LoadConfigOptions {
  readonly env?: Environment;
  readonly readText?: (path: string) => Promise<string>;
  /** Whether key and workspace are needed; default true. `emulator` and `migrate` go without. */
  readonly remote?: boolean;
}

const SECRETS = [
  'CLARIFY_API_KEY',
  'DATABASE_URL',
  'DATABASE_URL_DIRECT',
  'CLARIFY_SYNC_HTTP_TOKEN',
  'CLARIFY_SYNC_NUDGE_SECRET',
];
const KNOWN = new Set([
  ...SECRETS.flatMap((name) => [name, `${name}_FILE`]),
  'CLARIFY_WORKSPACE',
  'CLARIFY_API_URL',
  'CLARIFY_OAUTH_AUTHORIZE_URL',
  'CLARIFY_OAUTH_CLIENT_ID',
  'CLARIFY_OAUTH_PORT',
  'CLARIFY_OAUTH_TOKENS',
  'CLARIFY_OAUTH_TOKEN_URL',
  'CLARIFY_SYNC_PUSH',
  'CLARIFY_SYNC_CONFIG',
  'CLARIFY_SYNC_HTTP',
  'CLARIFY_SYNC_LOG',
]);

async function readConfigFile(
  path: string | null,
  readText: (path: string) => Promise<string>,
  problems: string[],
): Promise<ConfigFile | null> {
  let text = '';
  if (path !== null) {
    try {
      text = await readText(resolve(path));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      problems.push(`CLARIFY_SYNC_CONFIG: ${path} cannot be read (${code})`);
      return null;
    }
  }
  const parsed = parseConfigFile(text);
  if ('settings' in parsed) return parsed.settings;
  problems.push(...parsed.problems.map((problem) => `${path}: ${problem}`));
  return null;
}

/** Whether somebody has signed in. What the file holds is looked at when it is needed. */
async function isThere(
  path: string,
  readText: (path: string) => Promise<string>,
): Promise<boolean> {
  try {
    await readText(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}

/**
 * Reads the environment and the file it names: the only place that does.
 *
 * @throws UsageError naming every mistake found, none of them quoting a secret.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Config> {
  const { env = process.env, remote = true } = options;
  const readText = options.readText ?? ((path) => readFile(path, 'utf8'));
  const problems: string[] = [];
  const settings = await readEnvironment(env, readText, problems);
  const isSet = (name: string) => Boolean(env[name]?.trim());
  const hasKey = isSet('CLARIFY_API_KEY') || isSet('CLARIFY_API_KEY_FILE');
  const { path } = settings.login;
  const tokens = !hasKey && (await isThere(path, readText)) ? path : null;
  if (remote && !hasKey && tokens === null) problems.push('CLARIFY_API_KEY is not set');
  if (remote && !isSet('CLARIFY_WORKSPACE')) problems.push('CLARIFY_WORKSPACE is not set');
  const file = await readConfigFile(settings.configPath, readText, problems);
  if (file === null || problems.length > 0) {
    const lacksKey = remote && !hasKey && tokens === null;
    const how = lacksKey ? 'set CLARIFY_API_KEY, or run `clarify-sync login`; ' : '';
    throw new UsageError(problems, `${how}docs/configuration.md lists every setting`);
  }
  const { databaseUrl, directUrl, http, httpToken, nudgeSecret } = settings;
  return {
    clarify: {
      apiKey: settings.apiKey,
      tokens,
      workspace: settings.workspace,
      url: settings.apiUrl,
    },
    login: settings.login,
    database:
      databaseUrl === null ? null : { url: databaseUrl, directUrl: directUrl ?? databaseUrl },
    push: settings.push,
    http: http === null ? null : { ...http, token: httpToken, nudgeSecret },
    logLevel: settings.logLevel,
    objects: file.objects,
    exclude: file.exclude,
    massDelete: file.massDelete,
    allowance: file.allowance,
    sweepMs: file.sweep,
    retention: {
      outboxMs: file.retention.outbox,
      conflictsMs: file.retention.conflicts,
      tombstonesMs: file.retention.tombstones,
    },
    publication: file.publication,
    grants: file.grants,
    unknownVariables: Object.keys(env)
      .filter((name) => name.startsWith('CLARIFY_') && !KNOWN.has(name))
      .toSorted(),
  };
}
