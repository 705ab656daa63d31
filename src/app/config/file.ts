import { validate as isCron } from 'node-cron';
import { isScalar, LineCounter, parseDocument, visit } from 'yaml';
import * as z from 'zod';
import type { ObjectDialect } from '../../crm/adapter.ts';
import { isObject } from '../../domain/json.ts';
import { conflictPolicies, deletePolicies } from '../../domain/policy.ts';
import { MEETING } from './meeting.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const durationMs = z.string().transform((text, context) => {
  const [, digits, unit = ''] = /^(\d{1,6})\s*([smhd])$/.exec(text) ?? [];
  const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  context.addIssue('is not a duration such as 90s, 15m, 24h or 30d');
  return z.NEVER;
});

/** Null means for ever. */
const retentionMs = z.union([z.literal('keep').transform(() => null), durationMs], {
  error: 'is neither a duration such as 30d nor keep',
});

/** Null: when their record has another version; false: never. */
const ofRecordMs = z.union([z.boolean().transform((on) => (on ? null : false)), durationMs], {
  error: 'is neither true, false nor a duration such as 30d',
});

const cron = z.string().refine((text) => isCron(text), 'is not a cron expression');
const conflicts = z.enum(conflictPolicies);
const name = z.string().trim().min(1);

const fieldFile = z.strictObject({ conflicts: conflicts.optional() });
type FieldFile = z.ZodType<z.output<typeof fieldFile>, z.input<typeof fieldFile>>;
const anyFieldFile: FieldFile = fieldFile;

const objectFile = z.strictObject({
  pull: cron.optional(),
  push: z.boolean().optional(),
  key: name.optional(),
  conflicts: conflicts.optional(),
  fields: z.record(name, anyFieldFile).default({}),
  history: z.boolean().default(false),
  recordings: z.boolean().optional(),
  activities: z.boolean().optional(),
  attachments: ofRecordMs.optional(),
  comments: ofRecordMs.optional(),
  delete: z.enum(deletePolicies).default('push'),
  scan: durationMs.optional(),
});

/** Of a CRM whose objects have keys of their own. Those are opaque to all but its adapter. */
function objectFileOf({ keys, fieldKeys, fieldShorthand }: ObjectDialect): typeof objectFile {
  const mapping: FieldFile = fieldFile.extend(fieldKeys);
  const inFull = (entry: unknown) =>
    isObject(entry) || entry == null || fieldShorthand === undefined
      ? entry
      : { [fieldShorthand]: entry };
  const field: FieldFile = z.preprocess<unknown, FieldFile, z.input<typeof fieldFile>>(
    inFull,
    mapping,
  );
  return objectFile.extend({ ...keys, fields: z.record(name, field).default({}) });
}

/** The file's keys as they are for a CRM whose objects have keys of their own. */
export function configFileOf(dialect: ObjectDialect | undefined): typeof configFile {
  if (dialect === undefined) return configFile;
  const objects = z.record(name, objectFileOf(dialect).nullable()).default({});
  return configFile.extend({ objects });
}

export const configFile = z.strictObject({
  objects: z.record(name, objectFile.nullable()).default({}),
  exclude: z.array(name).default([]),
  massDelete: z
    .strictObject({
      rows: z.int().min(0).default(50),
      percent: z.number().min(0).max(100).default(5),
    })
    .prefault({}),
  allowance: z.number().min(1).max(100).default(80),
  sweep: durationMs.prefault('24h'),
  retention: z
    .strictObject({
      outbox: retentionMs.prefault('30d'),
      conflicts: retentionMs.prefault('365d'),
      tombstones: retentionMs.prefault('keep'),
    })
    .prefault({}),
  tables: z
    .strictObject({
      settings: z.boolean().default(false),
      lists: z.boolean().default(false),
      campaigns: z.array(name).default([]),
      every: durationMs.prefault('1h'),
    })
    .prefault({}),
  publication: z.boolean().default(false),
  grants: z
    .strictObject({ read: z.array(name).default([]), write: z.array(name).default([]) })
    .prefault({}),
});

export type ConfigFile = z.output<typeof configFile>;

/** What is compared across keys, however wrong the rest of the file is. */
const crossed = z.object({
  objects: z.record(z.string(), z.unknown()).catch({}),
  exclude: z.array(z.unknown()).catch([]),
});
const withRecordings = z.object({ recordings: z.literal(true) });
const withComments = z.object({ comments: z.union([z.literal(true), z.string()]) });
const withActivities = z.object({ activities: z.literal(true) });

/** Mistakes that no key has by itself. Apart from the schema: it gives up at the first of its own. */
export function crossProblems(file: unknown): string[] {
  const { objects = {}, exclude = [] } = crossed.safeParse(file).data ?? {};
  const recorded = Object.entries(objects).filter(
    ([object, settings]) => object !== MEETING && withRecordings.safeParse(settings).success,
  );
  // Which comments there are only the past tells.
  const untold = Object.entries(objects).filter(
    ([, settings]) =>
      withComments.safeParse(settings).success && !withActivities.safeParse(settings).success,
  );
  return [
    ...untold.map(([object]) => `objects.${object}.comments needs activities: true beside it`),
    ...recorded.map(([object]) => `objects.${object}.recordings is for meeting alone`),
    ...exclude
      .map(String)
      .filter((object) => Object.hasOwn(objects, object))
      .map((object) => `exclude also under objects: ${object}`),
  ];
}

export const UNKNOWN = 'is not a known setting';
const MAPPING = new Set<string>(['record', 'object']);

/** What somebody may have meant by a key that is none. */
export const fileKeys: readonly string[] = [
  configFile,
  objectFile,
  configFile.shape.massDelete.unwrap(),
  configFile.shape.retention.unwrap(),
  configFile.shape.tables.unwrap(),
  configFile.shape.grants.unwrap(),
].flatMap(({ shape }) => Object.keys(shape));

/** One of the schema's mistakes, by its path, which begins with `at`, without the value. */
export function explain(issue: z.core.$ZodIssue, at: readonly string[] = []): string[] {
  const path = [...at, ...issue.path].map(String).join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `${[...at, ...issue.path, key].join('.')} ${UNKNOWN}`);
    case 'invalid_value':
      return [`${path} must be one of ${issue.values.map(String).join(', ')}`];
    case 'invalid_type':
      return [
        `${path} must be ${MAPPING.has(issue.expected) ? 'a mapping' : `of type ${issue.expected}`}`,
      ];
    case 'custom':
    case 'invalid_union':
      return [`${path} ${issue.message}`];
    default:
      return [`${path}: ${issue.message}`];
  }
}

/** What a YAML text says, or where it is none. */
export function readYaml(
  text: string,
): { readonly file: unknown } | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const problems = [...document.errors, ...document.warnings].map(
    ({ code, pos }) => `${at(pos[0])}: ${code.toLowerCase().replaceAll('_', ' ')}`,
  );
  visit(document, {
    Pair(_, { key }) {
      // Whoever checks an object's keys passes over this one: what stands under it would be lost in silence.
      if (!isScalar(key) || key.value !== '__proto__') return;
      problems.push(`${at(key.range?.[0] ?? 0)}: __proto__ cannot be a name`);
    },
  });
  return problems.length > 0 ? { problems } : { file: document.toJS({ maxAliasCount: 100 }) ?? {} };
}

/** What is wrong with objects whose keys are all as they should be, by its path. */
export function objectProblems(
  { objects }: Pick<ConfigFile, 'objects'>,
  dialect: ObjectDialect | undefined,
): readonly string[] {
  return (dialect?.check?.(objects) ?? []).map((problem) => `objects.${problem}`);
}

/**
 * Reads the YAML file's text, as it may be for a CRM whose objects have keys of their own.
 *
 * @returns the settings with every default filled in, or each mistake by its path in the file.
 */
export function parseConfigFile(
  text: string,
  dialect?: ObjectDialect,
): { readonly settings: ConfigFile } | { readonly problems: readonly string[] } {
  const read = readYaml(text);
  if ('problems' in read) return read;
  const { file } = read;
  const result = configFileOf(dialect).safeParse(file);
  const ofObjects = result.success ? objectProblems(result.data, dialect) : [];
  const crossing = [...crossProblems(file), ...ofObjects];
  if (result.success && crossing.length === 0) return { settings: result.data };
  const mistakes = (result.error?.issues ?? []).flatMap((issue) => explain(issue));
  return { problems: [...mistakes, ...crossing] };
}
