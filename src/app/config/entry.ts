import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import type { Adapter } from '../../crm/adapter.ts';
import { everyDialect, everySetting } from '../../crm/adapters.ts';
import { isObject } from '../../domain/json.ts';
import { secondOf } from '../../domain/second-of.ts';
import { type Config, hookUrl, toFileSettings } from './config.ts';
import { type ProcessSettings, readDatabase } from './environment.ts';
import { configFileOf, crossProblems, explain, objectProblems } from './file.ts';
import { untoldPasts } from './objects.ts';
import { sideProblems } from './sides.ts';
import { fileOf, type Source } from './source.ts';
import { readAdapter, readWorkspace } from './workspace.ts';

export interface EntryAbout {
  /** Where the entry stands, such as `['workspaces', 'acme']`: every mistake begins with it. */
  readonly at: readonly string[];
  /** What the workspace is called, and its schema unless the entry names one; default the CRM's name. */
  readonly name?: string | undefined;
  /** What is the process's own; the database is the one of an entry that names none. */
  readonly shared: ProcessSettings;
  /** Whether key and workspace are needed; default true. */
  readonly remote?: boolean;
  readonly readText?: (path: string) => Promise<string>;
}

/** A configuration, or else every mistake by its path, none quoting a secret. */
export interface EntryRead {
  readonly config: Config | null;
  readonly problems: readonly string[];
}

const text = z.string().optional();

/** What every entry may say beside the adapter's settings and the keys of the YAML file. */
const own = {
  crm: text,
  schema: text,
  push: z.boolean().default(false),
  database: z
    .strictObject({ url: text, urlFile: text, directUrl: text, directUrlFile: text })
    .optional(),
};

const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  CLARIFY_SYNC_CRM: ['crm'],
  CLARIFY_SYNC_SCHEMA: ['schema'],
  DATABASE_URL: ['database', 'url'],
  DATABASE_URL_FILE: ['database', 'urlFile'],
  DATABASE_URL_DIRECT: ['database', 'directUrl'],
  DATABASE_URL_DIRECT_FILE: ['database', 'directUrlFile'],
};

/**
 * Reads one workspace as a program's options or a fleet's file have it: the CRM's settings by their
 * keys, `crm`, `schema`, `push`, `database`, and every key of the YAML file, checked as the
 * environment and that file are.
 */
export async function readEntry(entry: unknown, about: EntryAbout): Promise<EntryRead> {
  const { at, name, shared, remote = true } = about;
  if (!isObject(entry)) {
    return { config: null, problems: [`${at.join('.') || 'the options'} must be a mapping`] };
  }
  const variables = { ...VARIABLES, ...variablesOf(everySetting()) };
  const values: Record<string, string | undefined> = {};
  for (const [variable, path] of Object.entries(variables)) values[variable] = textAt(entry, path);
  const source: Source = {
    values,
    nameOf: (variable) => [...at, ...(variables[variable] ?? [variable])].join('.'),
    readText: about.readText ?? ((path) => readFile(path, 'utf8')),
    problems: [],
  };
  const crm = readAdapter(source);
  const dialect = crm === null ? await everyDialect() : await crm.objects?.();
  const shape = z.strictObject({
    ...configFileOf(dialect).shape,
    ...own,
    ...Object.fromEntries(keysOf(crm?.settings ?? everySetting()).map((key) => [key, text])),
  });
  const checked = shape.safeParse(entry);
  const workspace = crm && (await readWorkspace(source, crm, { remote, schema: name }));
  const database = (await readDatabase(source)) ?? shared.database;
  const ofObjects = checked.success ? objectProblems(checked.data, dialect) : [];
  const untold = checked.success && crm !== null ? untoldPasts(checked.data.objects, crm) : [];
  const ofSides = checked.success ? sideProblems(checked.data, crm) : [];
  const crossing = [...crossProblems(entry), ...ofObjects, ...untold, ...ofSides];
  const wrong = (checked.error?.issues ?? []).map((issue) => [...at, ...issue.path].join('.'));
  const problems = [
    ...(checked.error?.issues ?? []).flatMap((issue) => explain(issue, at)),
    ...(lacksUrl(entry) ? [`${source.nameOf('DATABASE_URL')} is not set`] : []),
    ...crossing.map((problem) => [...at, problem].join('.')),
    // What is of the wrong type is not missing as well.
    ...source.problems.filter((problem) => !wrong.some((path) => problem.startsWith(`${path} `))),
  ];
  if (workspace === null || !checked.success || problems.length > 0) {
    return { config: null, problems };
  }
  const { push } = checked.data;
  const config = {
    name: name ?? workspace.schema,
    ...workspace,
    ...shared,
    hookUrl: hookUrl(shared, workspace.crm, name ?? null),
    database,
    push,
    second: name === undefined ? 0 : secondOf(name),
    ...toFileSettings(checked.data),
    unknownVariables: [],
  };
  return { config, problems };
}

/** A database that is meant must not be one of our own because its address is undefined. */
function lacksUrl(entry: Readonly<Record<string, unknown>>): boolean {
  const { database } = entry;
  return isObject(database) && database['url'] == null && database['urlFile'] == null;
}

function variablesOf(settings: Adapter['settings']): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    settings.flatMap(({ key, variable }) => [
      [variable, [key]],
      [fileOf(variable), [`${key}File`]],
    ]),
  );
}

/** Every key that an entry of some CRM may have. */
export function entryKeys(): readonly string[] {
  const { database } = own;
  return [...Object.keys(own), ...Object.keys(database.unwrap().shape), ...keysOf(everySetting())];
}

function keysOf(settings: Adapter['settings']): readonly string[] {
  return settings.flatMap(({ key, secret = false }) => (secret ? [key, `${key}File`] : [key]));
}

function textAt(entry: unknown, path: readonly string[]): string | undefined {
  let found: unknown = entry;
  for (const key of path) found = isObject(found) ? found[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}
