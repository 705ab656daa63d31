import * as z from 'zod';
import { isObject, type Json } from '../../domain/json.ts';
import type { Field, FieldKind, ObjectSchema } from '../../domain/schema.ts';
import { toInstant } from '../wire/instants.ts';
import { readActor } from './decode-record.ts';
import { lastSegment } from './property-kind.ts';

/** Whose feed it is. */
export interface FeedOf {
  readonly object: ObjectSchema;
  readonly id: string;
}

/** A record, or what else an event is about. */
export interface EventReference {
  readonly id: string | null;
  readonly entity: string | null;
}

/** One difference: in fields that the object has, values are as the mirror has them. */
export interface Difference {
  readonly op: 'add' | 'update' | 'delete' | null;
  readonly field: string;
  readonly kind: FieldKind | undefined;
  readonly within: readonly (string | number)[];
  /** Null where there is none, undefined where that is not told. */
  readonly value: Json | undefined;
  readonly was: Json | undefined;
}

/** What a record was created with, or held when it was deleted. */
export type EventData = readonly {
  readonly field: string;
  readonly kind: FieldKind | undefined;
  readonly value: Json;
}[];

/** One event of a feed, in whichever spelling it came. */
export interface FeedEvent {
  readonly id: string;
  /** ISO-8601 with milliseconds, UTC. */
  readonly at: string;
  readonly actor: string | null;
  /** `clarify:set-relationship` and `ClarifySetRelationship` are both `set-relationship`. */
  readonly type: string;
  /** What it is about; null where that is not told, and it is about the record. */
  readonly about: EventReference | null;
  /** It is about something else than the record: what went into it, or was said of it. */
  readonly isOther: boolean;
  readonly differences: readonly Difference[];
  readonly data: EventData | null;
  readonly link: EventLink | null;
  readonly origin: EventReference | null;
  readonly target: EventReference | null;
}

/** A change of a relationship. */
export interface EventLink {
  readonly field: string;
  readonly kind: FieldKind | undefined;
  /** Records at the other end that are named. */
  readonly ids: readonly string[];
  readonly isCleared: boolean;
}

const activity = z.object({
  id: z.unknown().optional(),
  attributes: z.object({
    _id: z.unknown().optional(),
    data: z.array(z.unknown()),
    _created_at: z.unknown().optional(),
  }),
});
const json = z.custom<Json>((value) => value !== undefined);
const event = z.object({
  _id: z.unknown().optional(),
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
  refs: z.unknown().optional(),
  origin: z.unknown().optional(),
  target: z.unknown().optional(),
});
type RawEvent = z.infer<typeof event>;

const difference = z.object({
  op: z.string().optional().catch(undefined),
  path: z.union([z.string(), z.array(z.union([z.string(), z.number()]))]),
  val: json.optional(),
  oldVal: json.optional(),
});
type RawDifference = z.infer<typeof difference>;

type Kinds = ReadonlyMap<string, FieldKind>;

const kindsOf = new WeakMap<ObjectSchema, Kinds>();

function kindsIn(object: ObjectSchema): Kinds {
  const known = kindsOf.get(object);
  if (known !== undefined) return known;
  const kinds = new Map<string, FieldKind>([
    // Of all that the CRM keeps by itself the one collection: it comes as others do.
    ['_merged_ids', 'texts'],
    ...object.fields.map(({ name, kind }: Field) => [name, kind] as const),
  ]);
  kindsOf.set(object, kinds);
  return kinds;
}

/** One item of a feed. */
export interface FeedItem {
  /** What does not look as it should tells nothing, and is left out. */
  readonly events: readonly FeedEvent[];
  /** Nothing was. */
  readonly isLegible: boolean;
}

export function readItem({ object, id }: FeedOf, item: unknown): FeedItem {
  const kinds = kindsIn(object);
  const read = activity.safeParse(item).data;
  if (read === undefined) return { events: [], isLegible: false };
  const { data, _created_at, _id } = read.attributes;
  const itemId = [read.id, _id].find((one) => typeof one === 'string') ?? '';
  const events = data.flatMap((one, index): FeedEvent[] => {
    const told = event.safeParse(one).data;
    const at = toInstant(told?._created_at) ?? toInstant(_created_at);
    if (told === undefined || at === null) return [];
    const type = plainType(told.type);
    return [
      {
        id: typeof told._id === 'string' ? told._id : `${itemId || `${at}:${type}`}:${index + 1}`,
        at,
        actor: readActor(told.actor),
        type,
        about: readReference(told.object),
        isOther: !isAbout(told, { object, id }),
        differences: (told.object?.diff ?? []).flatMap((changed) => readDifference(kinds, changed)),
        data: told.object?.data === undefined ? null : readData(kinds, told.object.data),
        link: readLink(kinds, told, type),
        origin: readReference(told.origin),
        target: readReference(told.target),
      },
    ];
  });
  return { events, isLegible: events.length === data.length };
}

function plainType(type: unknown): string {
  if (typeof type !== 'string') return '';
  return type
    .replace(/^clarify/i, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function readReference(told: unknown): EventReference | null {
  if (told === undefined || told === null) return null;
  const entity = isObject(told) && typeof told['entity'] === 'string' ? told['entity'] : null;
  return { id: readActor(told), entity: entity === null ? null : lastSegment(entity) };
}

function isAbout({ object: about }: RawEvent, { object, id }: FeedOf): boolean {
  if (about === undefined) return true;
  const { entity, _id } = about;
  if (typeof _id === 'string') return _id === id;
  return typeof entity !== 'string' || lastSegment(entity).toLowerCase() === object.object;
}

function readDifference(kinds: Kinds, changed: unknown): Difference[] {
  const diff = difference.safeParse(changed).data;
  if (diff === undefined) return [];
  const [first, ...within] = readPath(diff.path);
  if (first === undefined) return [];
  const field = String(first);
  const kind = kinds.get(field);
  // A collection of texts is the list in it.
  const place = kind === 'texts' && within[0] === 'items' ? within.slice(1) : within;
  const [value, was] = [valueOf(diff), wasOf(diff)].map((told) =>
    told === undefined || within.length > 0 ? told : plainValue(kind, told),
  );
  return [{ op: readOp(diff), field, kind, within: place, value, was }];
}

function readOp({ op = '' }: RawDifference): Difference['op'] {
  if (GONE.has(op)) return 'delete';
  return op === 'add' || op === 'update' ? op : null;
}

function readData(kinds: Kinds, data: Readonly<Record<string, Json>>): EventData {
  return Object.entries(data).map(([field, value]) => {
    const kind = kinds.get(field);
    return { field, kind, value: plainValue(kind, value) };
  });
}

const GONE = new Set(['delete', 'remove']);

function valueOf({ op, val }: RawDifference): Json | undefined {
  return GONE.has(op ?? '') ? null : val;
}

function wasOf({ op, val, oldVal }: RawDifference): Json | undefined {
  if (oldVal !== undefined) return oldVal;
  if (op === 'add') return null;
  return GONE.has(op ?? '') ? val : undefined;
}

/** A link that was set or cleared, where the event names its field: a to-one's may lack its ending. */
function readLink(kinds: Kinds, told: RawEvent, type: string): EventLink | null {
  const { relationship, ref, refs } = told;
  if (typeof relationship !== 'string') return null;
  const field = kinds.has(relationship) ? relationship : `${relationship}_id`;
  const kind = kinds.get(field);
  const named: readonly unknown[] = Array.isArray(refs) ? refs : [ref ?? []].flat();
  return {
    field: kind === undefined ? relationship : field,
    kind,
    ids: named.flatMap((one) => readActor(one) ?? []),
    isCleared: ref === null || /unset|remove|delete|clear/.test(type),
  };
}

/** An array of keys and indexes, or `/name/first_name` with JSON Pointer's escapes. */
function readPath(path: RawDifference['path']): readonly (string | number)[] {
  if (typeof path !== 'string') return path;
  return path
    .replace(/^\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As the decoder would have it, but nothing is learned from what a feed shows. */
function plainValue(kind: FieldKind | undefined, value: Json): Json {
  if (kind === 'timestamp') return toInstant(value) ?? value;
  if (kind !== 'texts' || !isObject(value) || !('items' in value)) return value;
  return Object.entries(value).find(([name]) => name === 'items')?.[1] ?? null;
}
