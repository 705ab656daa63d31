import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { UsageError } from '../../domain/errors.ts';
import type { ConflictPolicy } from '../../domain/policy.ts';
import type { Config } from './config.ts';
import { readEntry } from './entry.ts';
import { type ProcessSettings, readHttp } from './environment.ts';
import { type configFile, explain } from './file.ts';
import type { Source } from './source.ts';

type File = z.input<typeof configFile>;
type ObjectFile = NonNullable<NonNullable<File['objects']>[string]>;

/** What the YAML file may say of an object; beside what all have, what its CRM alone understands. */
export interface ObjectOptions extends Omit<ObjectFile, 'fields'> {
  /** A mere value is short for the key that the CRM's fields have of their own. */
  readonly fields?: Readonly<Record<string, string | FieldOptions>> | undefined;
  /** To-many links by their names, each with the object at its other end. */
  readonly links?: Readonly<Record<string, string>> | undefined;
}

export interface FieldOptions {
  readonly conflicts?: ConflictPolicy | undefined;
  readonly type?: string | undefined;
}

/** What the YAML file may say, under the same names. */
interface FileOptions extends Omit<File, 'objects'> {
  readonly objects?: Readonly<Record<string, ObjectOptions | null>> | undefined;
}

/** Everything that can be set by a program; the environment is not read. */
export interface ConfigOptions extends FileOptions {
  /** Which CRM, by its name in `CLARIFY_SYNC_CRM`. */
  readonly crm?: string | undefined;
  /** The Postgres schema of the mirror tables; default the CRM's name. */
  readonly schema?: string | undefined;
  readonly apiKey?: string | undefined;
  /** A file that holds it instead. */
  readonly apiKeyFile?: string | undefined;
  /** Default where the CRM is. */
  readonly apiUrl?: string | undefined;
  // Where a key is not enough to tell which workspace it is, or whose: what the CRM asks for.
  readonly workspace?: string | undefined;
  readonly userId?: string | undefined;
  readonly businessId?: string | undefined;
  /** The file that `clarify-sync login` wrote, where there is no key. */
  readonly tokens?: string | undefined;
  /** Default: an embedded PostgreSQL under `.clarify-sync/` in the working directory. */
  readonly database?:
    | {
        readonly url: string;
        /** For `LISTEN`, where `url` is a transaction pooler. */
        readonly directUrl?: string | undefined;
      }
    | undefined;
  /** Whether local edits go to the CRM; default false. */
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
        /** Where it is reached from outside, for a CRM that calls. */
        readonly publicUrl?: string | undefined;
      }
    | undefined;
}

export const OPTIONS_HINT = 'docs/library.md lists every option';

const text = z.string().optional();
const httpOptions = z
  .strictObject({ host: text, port: z.number(), token: text, nudgeSecret: text, publicUrl: text })
  .optional();

/** What each option is called where it comes from the environment. */
const NAMES: Readonly<Record<string, string>> = {
  CLARIFY_SYNC_HTTP: 'http',
  CLARIFY_SYNC_HTTP_TOKEN: 'http.token',
  CLARIFY_SYNC_NUDGE_SECRET: 'http.nudgeSecret',
  CLARIFY_SYNC_PUBLIC_URL: 'http.publicUrl',
};

/**
 * Checks options as the environment and the file are checked, and fills in the same defaults. The
 * types are checked too, for a program without types: or `push: 'off'` would switch it on, and a URL
 * that is undefined start a database of our own.
 *
 * @throws UsageError naming every mistake by its option, none of them quoting a secret.
 */
export async function configFromOptions(options: ConfigOptions): Promise<Config> {
  const { http: given, ...entry } = options;
  const { http, problems } = await readHttpOptions(given);
  const shared: ProcessSettings = { database: null, http, logLevel: 'info' };
  const read = await readEntry(entry, { at: [], shared });
  const { crm } = read.config ?? {};
  const isMute = http?.publicUrl != null && crm !== undefined && crm.hooks === undefined;
  const mute = isMute ? [`http.publicUrl is set, and ${crm.title} calls nobody`] : [];
  const all = [...problems, ...read.problems, ...mute];
  if (read.config === null || all.length > 0) throw new UsageError(all, OPTIONS_HINT);
  return read.config;
}

/** The options of the status server, checked as its variables are. */
export async function readHttpOptions(
  given: unknown,
): Promise<{ readonly http: ProcessSettings['http']; readonly problems: readonly string[] }> {
  const checked = httpOptions.safeParse(given);
  if (!checked.success) {
    const problems = checked.error.issues.flatMap((issue) => explain(issue, ['http']));
    return { http: null, problems };
  }
  if (checked.data === undefined) return { http: null, problems: [] };
  const { host = '127.0.0.1', port, token, nudgeSecret, publicUrl } = checked.data;
  const source: Source = {
    values: {
      CLARIFY_SYNC_HTTP: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      CLARIFY_SYNC_HTTP_TOKEN: token,
      CLARIFY_SYNC_NUDGE_SECRET: nudgeSecret,
      CLARIFY_SYNC_PUBLIC_URL: publicUrl,
    },
    nameOf: (variable) => NAMES[variable] ?? variable,
    readText: (path) => readFile(path, 'utf8'),
    problems: [],
  };
  return { http: await readHttp(source), problems: source.problems };
}
