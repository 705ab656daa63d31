import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { UsageError } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import { nearest } from '../../domain/nearest.ts';
import { type Config, schemasFor, unusedInFleet } from '../config/config.ts';
import { entryKeys, readEntry } from '../config/entry.ts';
import { type ProcessSettings, readDatabase, readProcess } from '../config/environment.ts';
import { explain, fileKeys, readYaml, UNKNOWN } from '../config/file.ts';
import { fileOf, type Source } from '../config/source.ts';
import type { Environment } from '../config/variables.ts';

/** A fleet's file, checked and complete. */
export interface FleetConfig {
  readonly process: ProcessSettings;
  /** In the order of the file. */
  readonly workspaces: readonly FleetEntry[];
}

/** As it is read where the environment names it. */
export interface LoadedFleet extends FleetConfig {
  /** Variables that are set and say nothing here: of one workspace, or misspelt. */
  readonly unusedVariables: readonly string[];
}

export interface FleetEntry {
  readonly name: string;
  readonly config: Config;
  /** Reads its secrets anew, from the files that hold them. @throws UsageError where they cannot be. */
  again(): Promise<Config>;
}

export interface LoadFleetOptions {
  readonly env: Environment;
  readonly readText?: (path: string) => Promise<string>;
  /** Whether credentials are needed; default true. */
  readonly remote?: boolean;
}

const FLEET = 'CLARIFY_SYNC_FLEET';
const HINT = 'docs/fleet.md shows such a file; docs/configuration.md lists every setting';

const text = z.string().optional();
const databaseKeys = { url: text, urlFile: text, directUrl: text, directUrlFile: text };
const fleetFile = z.strictObject({
  database: z.strictObject(databaseKeys).optional(),
  workspaces: z
    .record(z.string(), z.unknown())
    .refine((workspaces) => Object.keys(workspaces).length > 0, 'names none'),
});

/** What is read however wrong the rest of the file is. */
const lenient = z.object({
  database: z.object(databaseKeys).catch({}),
  workspaces: z.record(z.string(), z.unknown()).catch({}),
});

/**
 * Reads a fleet's file and every secret it names.
 *
 * @throws UsageError naming every mistake by its path, none of them quoting a secret.
 */
export async function loadFleet(options: LoadFleetOptions): Promise<LoadedFleet> {
  const { env, readText = (path: string) => readFile(path, 'utf8'), remote = true } = options;
  const problems: string[] = [];
  const environment: Source = { values: env, nameOf: (variable) => variable, readText, problems };
  const process = await readProcess(environment);
  const file = await readFleetFile(env[FLEET]?.trim() ?? '', environment);
  const fleet = await readFleet(file, { process, readText, remote, problems, hint: HINT });
  return { ...fleet, unusedVariables: unusedInFleet(env) };
}

export interface FleetAbout {
  /** Its database is that of workspaces for which neither they nor the file name one. */
  readonly process: ProcessSettings;
  readonly readText: (path: string) => Promise<string>;
  /** Whether credentials are needed. */
  readonly remote: boolean;
  /** Mistakes that were made elsewhere. */
  readonly problems: readonly string[];
  /** Where every setting is listed. */
  readonly hint: string;
}

/**
 * Reads what the file of a fleet says; null where it could not be read.
 *
 * @throws UsageError as {@link loadFleet}.
 */
export async function readFleet(file: unknown, about: FleetAbout): Promise<FleetConfig> {
  const { process, readText, remote, hint } = about;
  const problems = [...about.problems];
  const checked = fleetFile.safeParse(file ?? {});
  if (file !== null) problems.push(...(checked.error?.issues ?? []).flatMap((one) => explain(one)));
  const { database, workspaces } = lenient.parse(isObject(file) ? file : {});
  const own = await sharedDatabase(database, { readText, problems });
  const shared = { ...process, database: own ?? process.database };
  const read = async (name: string, entry: unknown) =>
    await readEntry(entry, { at: ['workspaces', name], name, shared, remote, readText });
  const entries: FleetEntry[] = [];
  for (const [name, entry] of Object.entries(workspaces)) {
    problems.push(...nameProblems(name));
    const { config, problems: wrong } = await read(name, entry);
    problems.push(...wrong);
    if (config === null) continue;
    const again = async () => {
      const { config: anew, problems: now } = await read(name, entry);
      if (anew === null || now.length > 0) throw new UsageError(told(now), hint);
      return anew;
    };
    entries.push({ name, config, again });
  }
  problems.push(...overlaps(entries));
  if (problems.length > 0) throw new UsageError(told(problems), hint);
  return { process: shared, workspaces: entries };
}

/** Each once, and with what was meant by a key that is none. */
function told(problems: readonly string[]): readonly string[] {
  const inEntries = [...entryKeys(), ...fileKeys];
  return [...new Set(problems)].map((problem) => {
    if (!problem.endsWith(UNKNOWN)) return problem;
    const path = problem.slice(0, -UNKNOWN.length).trim().split('.');
    const known = path.length === 1 ? Object.keys(fleetFile.shape) : inEntries;
    const meant = nearest(path.at(-1) ?? '', known);
    return meant === null ? problem : `${problem}: did you mean ${meant}?`;
  });
}

async function readFleetFile(path: string, { readText, problems }: Source): Promise<unknown> {
  let content: string;
  try {
    content = await readText(resolve(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`${FLEET}: ${path} cannot be read (${code})`);
    return null;
  }
  const parsed = readYaml(content);
  if (!('problems' in parsed)) return parsed.file;
  problems.push(...parsed.problems.map((problem) => `${path}: ${problem}`));
  return null;
}

/** Null where the file names none. */
async function sharedDatabase(
  { url, urlFile, directUrl, directUrlFile }: z.output<typeof lenient>['database'],
  source: Pick<Source, 'readText' | 'problems'>,
): Promise<ProcessSettings['database']> {
  const names: Readonly<Record<string, string>> = {
    DATABASE_URL: 'database.url',
    [fileOf('DATABASE_URL')]: 'database.urlFile',
    DATABASE_URL_DIRECT: 'database.directUrl',
    [fileOf('DATABASE_URL_DIRECT')]: 'database.directUrlFile',
  };
  return await readDatabase({
    ...source,
    values: {
      DATABASE_URL: url,
      [fileOf('DATABASE_URL')]: urlFile,
      DATABASE_URL_DIRECT: directUrl,
      [fileOf('DATABASE_URL_DIRECT')]: directUrlFile,
    },
    nameOf: (variable) => names[variable] ?? variable,
  });
}

/** It stands in addresses, logs and labels of metrics. */
function nameProblems(name: string): readonly string[] {
  if (/^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,62}$/u.test(name)) return [];
  return [
    `workspaces.${JSON.stringify(name)}: a name begins with a letter, digit or _ and has up to 63 letters, digits, spaces and ._-`,
  ];
}

/** Which database a URL names, whoever signs in to it. */
export function databaseOf(url: string): string {
  const { hostname, port, pathname, username, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  const name = decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username);
  return `${host.toLowerCase()}:${searchParams.get('port') ?? (port || '5432')}/${name}`;
}

/** No schema of one workspace may be one of another in the same database. */
function overlaps(entries: readonly FleetEntry[]): readonly string[] {
  const taken = new Map<string, string>();
  const problems: string[] = [];
  for (const { name, config } of entries) {
    const database = config.database === null ? 'embedded' : databaseOf(config.database.url);
    const { mirror, control, history } = schemasFor(config);
    for (const schema of [mirror, control, history]) {
      const key = `${database} ${schema}`;
      const other = taken.get(key);
      if (other !== undefined && other !== name) {
        problems.push(
          `workspaces.${name}.schema: ${schema} is a schema of workspaces.${other} in the same database`,
        );
        break;
      }
      taken.set(key, name);
    }
  }
  return problems;
}
