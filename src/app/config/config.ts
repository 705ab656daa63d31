import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Adapter } from '../../crm/adapter.ts';
import { adapterNames, everyDialect, everySetting } from '../../crm/adapters.ts';
import { UsageError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import { type ProcessSettings, readOnOff, readProcess } from './environment.ts';
import type { ConfigFile } from './file.ts';
import { untoldPasts } from './objects.ts';
import { sideProblems } from './sides.ts';
import { fileOf, plain, type Source } from './source.ts';
import { type Environment, environment } from './variables.ts';
import { readAdapter, readWorkspace, type WorkspaceSettings } from './workspace.ts';

export { type ObjectSettings, objectSettings, unknownNames } from './objects.ts';
export { describeAccess, loginFile, schemasFor } from './workspace.ts';

/** Everything that can be set, checked and complete. Durations end in `Ms`; null is for ever. */
export interface Config extends WorkspaceSettings, ProcessSettings, FileSettings {
  /** What the workspace is called among others: the schema's name by default. */
  readonly name: string;
  readonly push: boolean;
  /** Where its CRM is to call when records change; null: nowhere. */
  readonly hookUrl?: string | null;
  /** Of the minute: when everything begins that has no time of its own; default 0. See {@link secondOf}. */
  readonly second?: number;
  /** Variables that look like ours and are not: misspelt, most likely. */
  readonly unknownVariables: readonly string[];
}

/** What the YAML file says, or the default. */
export interface FileSettings {
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
  /** What of a workspace is kept beside its records. */
  readonly tables: {
    readonly settings: boolean;
    readonly lists: boolean;
    /** By their ids. */
    readonly campaigns: readonly string[];
    /** How soon each is read again. */
    readonly everyMs: number;
  };
  /** Whether a publication of the mirror and link tables is kept. */
  readonly publication: boolean;
  readonly grants: { readonly read: readonly string[]; readonly write: readonly string[] };
}

export interface LoadConfigOptions {
  readonly env?: Environment;
  readonly readText?: (path: string) => Promise<string>;
  /** Whether key and workspace are needed; default true. `emulator` and `migrate` go without. */
  readonly remote?: boolean;
}

const PREFIX = 'CLARIFY_SYNC_';
const OWN_SECRETS = [
  'DATABASE_URL',
  'DATABASE_URL_DIRECT',
  'CLARIFY_SYNC_HTTP_TOKEN',
  'CLARIFY_SYNC_NUDGE_SECRET',
];
const OWN = [
  'CLARIFY_SYNC_CRM',
  'CLARIFY_SYNC_SCHEMA',
  'CLARIFY_SYNC_PUSH',
  'CLARIFY_SYNC_CONFIG',
  'CLARIFY_SYNC_FLEET',
  'CLARIFY_SYNC_HTTP',
  'CLARIFY_SYNC_PUBLIC_URL',
  'CLARIFY_SYNC_LOG',
];

/** Everything that the environment may say. */
export function knownVariables(): ReadonlySet<string> {
  const declared = everySetting();
  const secrets = declared.filter(({ secret = false }) => secret);
  const named = [...OWN_SECRETS, ...secrets.map(({ variable }) => variable)];
  return new Set([
    ...OWN,
    ...declared.map(({ variable }) => variable),
    ...named.flatMap((name) => [name, fileOf(name)]),
  ]);
}

/** Letters that may be wrong in what begins like a variable of a CRM that is not in use. */
const FEW = 2;

/**
 * Those that begin like ours, or like those of the CRM in use. What begins like those of another may
 * be somebody else's, unless it is nearly one of them: the CRM may be forgotten, or wrong.
 */
function unknownVariables(env: Environment, crm: Adapter): readonly string[] {
  const known = knownVariables();
  const beginsLike = (name: string, crms: readonly string[]) =>
    crms.some((each) => name.startsWith(`${each.toUpperCase()}_`));
  return Object.keys(env)
    .filter((name) => {
      if (known.has(name)) return false;
      if (name.startsWith(PREFIX) || beginsLike(name, [crm.name])) return true;
      return beginsLike(name, adapterNames) && nearest(name, known, FEW) !== null;
    })
    .toSorted();
}

/** A variable that is no setting, and the one that was meant, where one is near. */
export function describeUnknown(name: string): string {
  const meant = nearest(name, knownVariables());
  return `${name} is no setting${meant === null ? '' : `; is ${meant} meant?`}`;
}

/** What a file that says nothing says. Written out, for reading files takes a while to load. */
export const WITHOUT_FILE: FileSettings = {
  objects: {},
  exclude: [],
  massDelete: { rows: 50, percent: 5 },
  allowance: 80,
  sweepMs: 24 * 3_600_000,
  retention: {
    outboxMs: 30 * 86_400_000,
    conflictsMs: 365 * 86_400_000,
    tombstonesMs: null,
  },
  tables: { settings: false, lists: false, campaigns: [], everyMs: 3_600_000 },
  publication: false,
  grants: { read: [], write: [] },
};

async function readConfigFile(source: Source, crm: Adapter | null): Promise<FileSettings | null> {
  const { readText, problems } = source;
  const path = plain(source, 'CLARIFY_SYNC_CONFIG');
  if (path === null) return WITHOUT_FILE;
  let text: string;
  try {
    text = await readText(resolve(path));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`CLARIFY_SYNC_CONFIG: ${path} cannot be read (${code})`);
    return null;
  }
  const { parseConfigFile } = await import('./file.ts');
  const dialect = crm === null ? await everyDialect() : await crm.objects?.();
  const parsed = parseConfigFile(text, dialect);
  const wrong = 'problems' in parsed ? parsed.problems : [];
  const untold =
    'settings' in parsed && crm !== null ? untoldPasts(parsed.settings.objects, crm) : [];
  const sides = 'settings' in parsed ? sideProblems(parsed.settings, crm) : [];
  problems.push(...[...wrong, ...untold, ...sides].map((problem) => `${path}: ${problem}`));
  return 'settings' in parsed ? toFileSettings(parsed.settings) : null;
}

export function toFileSettings(file: ConfigFile): FileSettings {
  const { objects, exclude, massDelete, allowance, publication, grants, retention } = file;
  const { every: everyMs, ...tables } = file.tables;
  return {
    objects,
    exclude,
    massDelete,
    allowance,
    sweepMs: file.sweep,
    retention: {
      outboxMs: retention.outbox,
      conflictsMs: retention.conflicts,
      tombstonesMs: retention.tombstones,
    },
    tables: { ...tables, everyMs },
    publication,
    grants,
  };
}

/**
 * Reads the environment and the file it names.
 *
 * @throws UsageError naming every mistake found, none of them quoting a secret.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<Config> {
  const { env = environment(), remote = true } = options;
  const problems: string[] = [];
  const source: Source = {
    values: env,
    nameOf: (variable) => variable,
    readText: options.readText ?? ((path) => readFile(path, 'utf8')),
    problems,
  };
  const crm = readAdapter(source);
  const workspace = crm === null ? null : await readWorkspace(source, crm, { remote });
  const settings = await readProcess(source);
  if (settings.http?.publicUrl != null && crm !== null && crm.hooks === undefined) {
    problems.push(`CLARIFY_SYNC_PUBLIC_URL is set, and ${crm.title} calls nobody`);
  }
  const push = readOnOff(source, 'CLARIFY_SYNC_PUSH');
  const file = await readConfigFile(source, crm);
  if (crm === null || workspace === null || file === null || problems.length > 0) {
    const how = remote && workspace?.access === null ? howToBeLetIn(workspace) : '';
    throw new UsageError(problems, `${how}docs/configuration.md lists every setting`);
  }
  return {
    name: workspace.schema,
    ...workspace,
    ...settings,
    hookUrl: hookUrl(settings, crm, null),
    push,
    ...file,
    unknownVariables: unknownVariables(env, crm),
  };
}

/** @param name of the workspace in its fleet; null without one. */
export function hookUrl(
  { http }: Pick<ProcessSettings, 'http'>,
  { hooks }: Adapter,
  name: string | null,
): string | null {
  const publicUrl = http?.publicUrl ?? null;
  if (publicUrl === null || hooks === undefined) return null;
  return name === null
    ? `${publicUrl}/webhook`
    : `${publicUrl}/w/${encodeURIComponent(name)}/webhook`;
}

function howToBeLetIn({ crm: { login }, names }: WorkspaceSettings): string {
  if (login === undefined) return '';
  return `set ${names[login.insteadOf]}, or run \`clarify-sync login\`; `;
}

/** Variables that say nothing where a fleet's file is used: of one workspace, or misspelt. */
export function unusedInFleet(env: Environment): readonly string[] {
  const used = new Set([
    ...OWN_SECRETS.flatMap((name) => [name, fileOf(name)]),
    ...['FLEET', 'HTTP', 'PUBLIC_URL', 'LOG'].map((name) => `${PREFIX}${name}`),
  ]);
  const known = knownVariables();
  return Object.keys(env)
    .filter((name) => (name.startsWith(PREFIX) || known.has(name)) && !used.has(name))
    .toSorted();
}
