import { z } from 'zod';
import type { FieldWrite } from '../../domain/field-write.ts';
import { isObject, type Json } from '../../domain/json.ts';
import type { WrittenBy } from '../../domain/record.ts';
import type { Field, FieldKind, ObjectSchema } from '../../domain/schema.ts';
import { toInstant } from '../wire/instants.ts';
import { readActor } from './decode-record.ts';
import { lastSegment } from './property-kind.ts';

/** What one event of a feed tells of the record. */
export interface ToldEvent {
  readonly atMs: number;
  /** The last of its differences first. */
  readonly writes: readonly FieldWrite[];
  readonly merge: WrittenBy | null;
  readonly isBirth: boolean;
  /** It changed something, and does not say what. */
  readonly isVague: boolean;
}

/** Whose feed it is. */
export interface FeedOf {
  readonly object: ObjectSchema;
  readonly id: string;
}

type Fields = ReadonlyMap<string, Field>;

const activity = z.object({
  attributes: z.object({ data: z.array(z.unknown()), _created_at: z.unknown().optional() }),
});
const json = z.custom<Json>((value) => value !== undefined);
const event = z.object({
  type: z.unknown().optional(),
  actor: z.unknown().optional(),
  _created_at: z.unknown().optional(),
  object: z
    .object({
      _id: z.unknown().optional(),
      entity: z.unknown().optional(),
      data: z.record(z.string(), json).optional().catch(undefined),
      diff: z.array(z.unknown()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
  relationship: z.unknown().optional(),
  ref: z.unknown().optional(),
});
type Event = z.infer<typeof event>;

const difference = z.object({
  op: z.string().optional().catch(undefined),
  path: z.union([z.string(), z.array(z.union([z.string(), z.number()]))]),
  val: json.optional(),
  oldVal: json.optional(),
});

/** One item of a feed: what does not look as it should tells nothing, and is left out. */
export function readActivity({ object, id }: FeedOf, item: unknown): readonly ToldEvent[] {
  const fields: Fields = new Map(object.fields.map((field) => [field.name, field]));
  const { data = [], _created_at } = activity.safeParse(item).data?.attributes ?? {};
  return data.flatMap((one): ToldEvent[] => {
    const told = event.safeParse(one).data;
    const at = toInstant(told?._created_at) ?? toInstant(_created_at);
    if (told === undefined || at === null) return [];
    const by: WrittenBy = { atMs: Date.parse(at), by: readActor(told.actor) };
    const type = plainType(told.type);
    const isOther = !isAbout(told, { object, id });
    // What went into this record tells of itself under its own id, and not of this one.
    const differences = isOther ? [] : readDifferences(fields, told, { type, by });
    const link = readLink(fields, told, { type, by });
    const isMerge = type.includes('merge');
    return [
      {
        atMs: by.atMs,
        writes: link === null ? differences : [link, ...differences],
        merge: isMerge ? by : null,
        isBirth: type === 'create' && !isOther,
        isVague: isMerge || (type === 'update' && !isOther && !told.object?.diff?.length),
      },
    ];
  });
}

/** `clarify:set-relationship` and `ClarifySetRelationship` are both `setrelationship`. */
function plainType(type: unknown): string {
  if (typeof type !== 'string') return '';
  return type
    .toLowerCase()
    .replace(/^clarify/, '')
    .replace(/[^a-z]/g, '');
}

function isAbout({ object: about }: Event, { object, id }: FeedOf): boolean {
  if (about === undefined) return true;
  const { entity, _id } = about;
  if (typeof _id === 'string') return _id === id;
  return typeof entity !== 'string' || lastSegment(entity).toLowerCase() === object.object;
}

function readDifferences(
  fields: Fields,
  { object }: Event,
  { type, by }: { readonly type: string; readonly by: WrittenBy },
): FieldWrite[] {
  const isBirth = type === 'create';
  const writes = (object?.diff ?? []).flatMap((changed): FieldWrite[] => {
    const diff = difference.safeParse(changed).data;
    const [field = '', ...within] = diff === undefined ? [] : readPath(diff.path);
    const kind = fields.get(field)?.kind;
    if (diff === undefined || kind === undefined) return [];
    // A collection of texts is the list in it.
    const place = kind === 'texts' && within[0] === 'items' ? within.slice(1) : within;
    const values = [valueOf(diff), wasOf(diff)].map((told) =>
      told === undefined || within.length > 0 ? told : plainValue(kind, told),
    );
    return [{ field, within: place, value: values[0], was: values[1], isBirth, ...by }];
  });
  const told = new Set(writes.map(({ field }) => field));
  const born = isBirth ? Object.entries(object?.data ?? {}) : [];
  const rest = born.flatMap(([name, value]): FieldWrite[] => {
    const kind = fields.get(name)?.kind;
    if (kind === undefined || told.has(name)) return [];
    return [{ field: name, within: [], value: plainValue(kind, value), was: null, isBirth, ...by }];
  });
  return [...writes, ...rest].toReversed();
}

type Difference = z.infer<typeof difference>;

const GONE = new Set(['delete', 'remove']);

function valueOf({ op, val }: Difference): Json | undefined {
  return GONE.has(op ?? '') ? null : val;
}

function wasOf({ op, val, oldVal }: Difference): Json | undefined {
  if (oldVal !== undefined) return oldVal;
  if (op === 'add') return null;
  return GONE.has(op ?? '') ? val : undefined;
}

/** A to-one link that was set or cleared, where the event names its field. */
function readLink(
  fields: Fields,
  { relationship, ref }: Event,
  { type, by }: { readonly type: string; readonly by: WrittenBy },
): FieldWrite | null {
  if (typeof relationship !== 'string') return null;
  const field = fields.get(relationship) ?? fields.get(`${relationship}_id`);
  if (field?.kind !== 'reference') return null;
  const isCleared = ref === null || /unset|remove|delete|clear/.test(type);
  const value = isCleared ? null : (readActor(ref) ?? undefined);
  return { field: field.name, within: [], value, was: undefined, isBirth: false, ...by };
}

/** An array of keys and indexes, or `/name/first_name` with JSON Pointer's escapes. */
function readPath(path: Difference['path']): string[] {
  if (typeof path !== 'string') return path.map(String);
  return path
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As the decoder would have it, but nothing is learned from what a feed shows. */
function plainValue(kind: FieldKind, value: Json): Json {
  if (kind === 'timestamp') return toInstant(value) ?? value;
  if (kind !== 'texts' || !isObject(value) || !('items' in value)) return value;
  return Object.entries(value).find(([name]) => name === 'items')?.[1] ?? null;
}
