import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UsageError } from '../../domain/errors.ts';
import { type Config, loadConfig } from './config.ts';
import { type configFile, explain } from './file.ts';

/** What the YAML file may say, under the same names. */
type FileOptions = z.input<typeof configFile>;

/** Everything that can be set by a program; the environment is not read. */
export interface ConfigOptions extends FileOptions {
  readonly clarify: {
    /** The workspace's slug. */
    readonly workspace: string;
    /** Or `tokens`. */
    readonly apiKey?: string | undefined;
    /** The file that `clarify-sync login` wrote. */
    readonly tokens?: string | undefined;
    /** Default `https://api.clarify.ai/v1`. */
    readonly url?: string | undefined;
  };
  /** Default: an embedded PostgreSQL under `.clarify-sync/` in the working directory. */
  readonly database?:
    | {
        readonly url: string;
        /** For `LISTEN`, where `url` is a transaction pooler. */
        readonly directUrl?: string | undefined;
      }
    | undefined;
  /** Whether local edits go to Clarify; default false. */
  readonly push?: boolean | undefined;
  /** The status server; default none. */
  readonly http?:
    | {
        /** Default 127.0.0.1; any other needs a token. */
        readonly host?: string | undefined;
        /** 0 takes any free one. */
        readonly port: number;
        readonly token?: string | undefined;
        readonly nudgeSecret?: string | undefined;
      }
    | undefined;
}

const OPTIONS = 'options';
const HINT = 'docs/library.md lists every option';

const text = z.string().optional();

/**
 * The types again, for a program without types: what is none of them is refused, or `push: 'off'`
 * would switch it on, and a URL that is undefined start a database of our own.
 */
const ownOptions = z.object({
  clarify: z.strictObject({ workspace: text, apiKey: text, tokens: text, url: text }),
  database: z.strictObject({ url: z.string(), directUrl: text }).optional(),
  push: z.boolean().optional(),
  http: z.strictObject({ host: text, port: z.number(), token: text, nudgeSecret: text }).optional(),
});

/** What each option is called where it comes from the environment. */
const NAMES: Readonly<Record<string, string>> = {
  CLARIFY_API_KEY: 'clarify.apiKey',
  CLARIFY_WORKSPACE: 'clarify.workspace',
  CLARIFY_API_URL: 'clarify.url',
  CLARIFY_OAUTH_TOKENS: 'clarify.tokens',
  DATABASE_URL_DIRECT: 'database.directUrl',
  DATABASE_URL: 'database.url',
  CLARIFY_SYNC_PUSH: 'push',
  CLARIFY_SYNC_HTTP_TOKEN: 'http.token',
  CLARIFY_SYNC_HTTP: 'http',
  CLARIFY_SYNC_NUDGE_SECRET: 'http.nudgeSecret',
};

/**
 * Checks options as the environment and the file are checked, and fills in the same defaults.
 *
 * @throws UsageError naming every mistake by its option, none of them quoting a secret.
 */
export async function configFromOptions(options: ConfigOptions): Promise<Config> {
  const checked = ownOptions.safeParse(options);
  if (!checked.success) {
    throw new UsageError(checked.error.issues.flatMap(explain), HINT);
  }
  const { clarify, database, push = false, http, ...file } = options;
  const host = http?.host ?? '127.0.0.1';
  try {
    return await loadConfig({
      env: {
        CLARIFY_API_KEY: clarify.apiKey,
        CLARIFY_WORKSPACE: clarify.workspace,
        CLARIFY_API_URL: clarify.url,
        CLARIFY_OAUTH_TOKENS: clarify.tokens,
        DATABASE_URL: database?.url,
        DATABASE_URL_DIRECT: database?.directUrl,
        CLARIFY_SYNC_PUSH: push ? 'on' : 'off',
        CLARIFY_SYNC_HTTP:
          http === undefined ? 'off' : `${host.includes(':') ? `[${host}]` : host}:${http.port}`,
        CLARIFY_SYNC_HTTP_TOKEN: http?.token,
        CLARIFY_SYNC_NUDGE_SECRET: http?.nudgeSecret,
        CLARIFY_SYNC_CONFIG: OPTIONS,
      },
      // JSON is YAML as well.
      readText: async (path) =>
        path.endsWith(OPTIONS) ? JSON.stringify(file) : await readFile(path, 'utf8'),
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.problems.map(byOption), HINT);
  }
}

function byOption(problem: string): string {
  const names = new RegExp(`\\b(${Object.keys(NAMES).join('|')})\\b`, 'g');
  return problem.replace(names, (name) => NAMES[name] ?? name);
}
