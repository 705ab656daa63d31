import { validate as isCron } from 'node-cron';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { conflictPolicies, deletePolicies } from '../../domain/policy.ts';

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

/** The one object that has recordings. */
export const MEETING = 'meeting';

const cron = z.string().refine((text) => isCron(text), 'is not a cron expression');
const conflicts = z.enum(conflictPolicies);
const name = z.string().trim().min(1);

const objectFile = z.strictObject({
  pull: cron.optional(),
  push: z.boolean().optional(),
  key: name.optional(),
  conflicts: conflicts.optional(),
  fields: z.record(name, z.strictObject({ conflicts: conflicts.optional() })).default({}),
  history: z.boolean().default(false),
  recordings: z.boolean().optional(),
  delete: z.enum(deletePolicies).default('push'),
});

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

/** Mistakes that no key has by itself. Apart from the schema: it gives up at the first of its own. */
function crossProblems(file: unknown): string[] {
  const { objects = {}, exclude = [] } = crossed.safeParse(file).data ?? {};
  const recorded = Object.entries(objects).filter(
    ([object, settings]) => object !== MEETING && withRecordings.safeParse(settings).success,
  );
  return [
    ...recorded.map(([object]) => `objects.${object}.recordings is for meeting alone`),
    ...exclude
      .map(String)
      .filter((object) => Object.hasOwn(objects, object))
      .map((object) => `exclude also under objects: ${object}`),
  ];
}

const MAPPING = new Set<string>(['record', 'object']);

/** One of the schema's mistakes, by its path, without the value. */
export function explain(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map(String).join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => `${[...issue.path, key].join('.')} is not a known setting`);
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

/**
 * Reads the YAML file's text.
 *
 * @returns the settings with every default filled in, or each mistake by its path in the file.
 */
export function parseConfigFile(
  text: string,
): { readonly settings: ConfigFile } | { readonly problems: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    return `line ${line}, column ${col}: ${code.toLowerCase().replaceAll('_', ' ')}`;
  });
  if (problems.length > 0) return { problems };
  const file: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const result = configFile.safeParse(file);
  const crossing = crossProblems(file);
  if (result.success && crossing.length === 0) return { settings: result.data };
  return { problems: [...(result.error?.issues ?? []).flatMap(explain), ...crossing] };
}
