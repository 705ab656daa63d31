import type { Adapter, SettingNames, Settings } from '../../crm/adapter.ts';
import { adapterNamed, adapterNames, defaultAdapter } from '../../crm/adapters.ts';
import { checkSchemaName, type Schemas, schemasOf } from '../../db/control/schemas.ts';
import { checked, isGiven, plain, type Source, secret } from './source.ts';

/** By what we are let in. */
export type AccessKind = 'api-key' | 'login';

/** For a person. */
export function describeAccess(kind: AccessKind | null): string {
  return kind === null ? 'no key and no login' : kind === 'login' ? 'OAuth login' : 'API key';
}

/** What one workspace of one CRM needs. */
export interface WorkspaceSettings {
  readonly crm: Adapter;
  /** Opaque to all but the adapter. */
  readonly settings: Settings;
  readonly names: SettingNames;
  /** Null where there is neither key nor login: the command asked for no remote. */
  readonly access: AccessKind | null;
  /** Of the mirror tables. */
  readonly schema: string;
}

export interface WorkspaceWish {
  /** Whether what is required has to be there. */
  readonly remote: boolean;
  /** Default the CRM's name. */
  readonly schema?: string | undefined;
}

const SCHEMA = 'CLARIFY_SYNC_SCHEMA';

/** The CRM that is named, or the default; null, and a mistake, where there is none of the name. */
export function readAdapter(source: Source): Adapter | null {
  const given = plain(source, 'CLARIFY_SYNC_CRM');
  const adapter = given === null ? defaultAdapter : adapterNamed(given);
  if (adapter === null) {
    const name = source.nameOf('CLARIFY_SYNC_CRM');
    source.problems.push(`${name} must be one of ${adapterNames.join(', ')}`);
    readSchema(source, null);
  }
  return adapter;
}

/** Every setting that the adapter declares. Collects mistakes into the source's `problems`. */
export async function readWorkspace(
  source: Source,
  crm: Adapter,
  { remote, schema: fallback = crm.name }: WorkspaceWish,
): Promise<WorkspaceSettings> {
  const { nameOf, problems } = source;
  const settings: Record<string, string | null> = {};
  for (const { key, variable, check, tidy, ...setting } of crm.settings) {
    const given = setting.secret
      ? await secret(source, variable, check)
      : readPlain(source, variable, { fallback: setting.default ?? null, check });
    settings[key] = given === null ? null : (tidy?.(given) ?? given);
  }
  const names: Record<string, string> = { schema: nameOf(SCHEMA) };
  for (const { key, variable } of crm.settings) names[key] = nameOf(variable);
  problems.push(...(crm.check?.(settings, names) ?? []));
  const access = await readAccess(source, crm, settings);
  for (const { key, variable, required = false } of crm.settings) {
    const hasLogin = key === crm.login?.insteadOf && access === 'login';
    if (!remote || !required || hasLogin || isGiven(source, variable)) continue;
    problems.push(`${nameOf(variable)} is not set`);
  }
  const schema = readSchema(source, fallback) ?? fallback;
  return { crm, settings, names, access, schema };
}

function readSchema(source: Source, fallback: string | null): string | null {
  return readPlain(source, SCHEMA, { fallback, check: checkSchemaName });
}

function readPlain(
  source: Source,
  name: string,
  {
    fallback,
    check,
  }: { fallback: string | null; check: ((value: string) => string | null) | undefined },
): string | null {
  const value = plain(source, name) ?? fallback;
  return value === null ? null : checked(source, { name, value, check });
}

/** Whether somebody has signed in is looked at; what the file holds, when it is needed. */
async function readAccess(
  source: Source,
  { settings: declared, login }: Adapter,
  settings: Settings,
): Promise<AccessKind | null> {
  const key = declared.find((setting) => setting.key === (login?.insteadOf ?? 'apiKey'));
  if (key !== undefined && isGiven(source, key.variable)) return 'api-key';
  const path = login === undefined ? null : (settings[login.file] ?? null);
  return path !== null && (await isThere(path, source)) ? 'login' : null;
}

async function isThere(path: string, { readText }: Source): Promise<boolean> {
  try {
    await readText(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}

/** The file of the login that is used; null where a key is. */
export function loginFile({
  crm: { login },
  settings,
  access,
}: Pick<WorkspaceSettings, 'crm' | 'settings' | 'access'>): string | null {
  return access === 'login' && login !== undefined ? (settings[login.file] ?? null) : null;
}

/** Where a workspace is mirrored, and whose it is. */
export function schemasFor({ schema, crm }: Pick<WorkspaceSettings, 'schema' | 'crm'>): Schemas {
  return schemasOf(schema, crm.title);
}
