import {
  checkHeaderValue,
  checkWebUrl,
  isLoopback,
  isReadable,
  tidyUrl,
} from '../../crm/wire/setting-checks.ts';
import { checked, plain, type Source, secret } from './source.ts';

/** What belongs to the process, and not to one workspace; null where nothing was said. */
export interface ProcessSettings {
  /** Null: an embedded Postgres. `directUrl` is `url` itself unless a pooler stands between. */
  readonly database: { readonly url: string; readonly directUrl: string } | null;
  /** Null: no status server. */
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly token: string | null;
    /** For `POST /nudge/<secret>`; null: there is no such address. */
    readonly nudgeSecret: string | null;
    /** Where this server is reached from outside, for a CRM that calls; none: it is not asked to. */
    readonly publicUrl?: string;
  } | null;
  readonly logLevel: LogLevel;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const DEFAULT_HTTP = '127.0.0.1:8460';

/** It stands in an address, and whoever guesses it may make us work. */
const NUDGE_SECRET = /^[A-Za-z0-9_-]{20,100}$/;
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

function isLogLevel(text: string): text is LogLevel {
  return logLevels.some((level) => level === text);
}

/** Collects mistakes into the source's `problems`. */
export async function readProcess(source: Source): Promise<ProcessSettings> {
  return {
    database: await readDatabase(source),
    http: await readHttp(source),
    logLevel: readLogLevel(source),
  };
}

/** No mistake quotes it: it may hold a password. */
function checkPostgresUrl(value: string): string | null {
  if (!/^postgres(ql)?:\/\//.test(value)) return 'must begin with postgres:// or postgresql://';
  if (URL.canParse(value)) return null;
  return 'is not a URL: special characters in its password need %-encoding';
}

export async function readDatabase(source: Source): Promise<ProcessSettings['database']> {
  const url = await secret(source, 'DATABASE_URL', checkPostgresUrl);
  const directUrl = await secret(source, 'DATABASE_URL_DIRECT', checkPostgresUrl);
  if (url !== null) return { url, directUrl: directUrl ?? url };
  if (directUrl !== null) {
    const { nameOf } = source;
    source.problems.push(
      `${nameOf('DATABASE_URL_DIRECT')} is set and ${nameOf('DATABASE_URL')} is not`,
    );
  }
  return null;
}

export async function readHttp(source: Source): Promise<ProcessSettings['http']> {
  const { nameOf, problems } = source;
  const address = readAddress(source);
  const token = await secret(source, 'CLARIFY_SYNC_HTTP_TOKEN', checkHeaderValue);
  const nudgeSecret = await secret(source, 'CLARIFY_SYNC_NUDGE_SECRET', (value) =>
    NUDGE_SECRET.test(value) ? null : 'needs 20 to 100 characters of A-Z, a-z, 0-9, - and _',
  );
  const where = nameOf('CLARIFY_SYNC_HTTP');
  if (address !== null && !isLoopback(address.host) && token === null) {
    problems.push(
      `${nameOf('CLARIFY_SYNC_HTTP_TOKEN')} is required where ${where} is not loopback`,
    );
  }
  if (nudgeSecret !== null && address === null) {
    problems.push(`${nameOf('CLARIFY_SYNC_NUDGE_SECRET')} is set and ${where} is off`);
  }
  const publicUrl = readPublicUrl(source);
  if (publicUrl !== null && address === null) {
    problems.push(`${nameOf('CLARIFY_SYNC_PUBLIC_URL')} is set and ${where} is off`);
  }
  return address === null
    ? null
    : { ...address, token, nudgeSecret, ...(publicUrl !== null && { publicUrl }) };
}

function readPublicUrl(source: Source): string | null {
  const name = 'CLARIFY_SYNC_PUBLIC_URL';
  const value = plain(source, name);
  if (value === null) return null;
  const check = (url: string) =>
    checkWebUrl(url) ?? (isReadable(url) ? 'must begin with https://' : null);
  return tidyUrl(checked(source, { name, value, check }));
}

function readAddress(source: Source): { readonly host: string; readonly port: number } | null {
  const name = 'CLARIFY_SYNC_HTTP';
  const value = plain(source, name) ?? DEFAULT_HTTP;
  if (value === 'off') return null;
  const [, bracketed, bare, port = ''] = HOST_PORT.exec(value) ?? [];
  const host = bracketed ?? bare;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  const says = 'must be host:port, such as 127.0.0.1:8460, or off';
  source.problems.push(`${source.nameOf(name)} ${says}`);
  return null;
}

function readLogLevel(source: Source): LogLevel {
  const name = 'CLARIFY_SYNC_LOG';
  const value = plain(source, name) ?? 'info';
  if (isLogLevel(value)) return value;
  source.problems.push(`${source.nameOf(name)} must be one of ${logLevels.join(', ')}`);
  return 'info';
}

export function readOnOff(source: Source, name: string): boolean {
  const value = plain(source, name) ?? 'off';
  const check = () => (value === 'on' || value === 'off' ? null : 'must be on or off');
  return checked(source, { name, value, check }) === 'on';
}
