import { type Activity, type ActivityChange, UNTOLD } from '../../domain/activity.ts';
import { RemoteError } from '../../domain/errors.ts';
import { isObject, type Json, stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import type { CallOptions, Remote } from '../../domain/remote.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import { gone } from '../wire/refusals.ts';
import type { Attribute, Catalog } from './attribute.ts';
import type { Decoder } from './decode-record.ts';
import { CURRENCY_SUFFIX, OBJECT_SUFFIX, SYSTEM_ATTRIBUTES } from './fields.ts';
import { sortable } from './instants.ts';
import type { ReadValues } from './past-values.ts';

type Value = Readonly<Record<string, unknown>>;

interface PastDeps {
  readonly readRecord: Remote['readRecord'];
  readonly readValues: ReadValues;
  readonly catalog: Catalog;
  readonly decoder: Decoder;
}

/** What one attribute tells. */
interface Told {
  readonly activities: readonly Activity[];
  readonly isLegible: boolean;
}

/**
 * What happened to a record, as the values of its attributes tell: each says since when until when it
 * was, and who began it. One request for the record, and one per attribute, but for those whose value
 * is the one the record was saved first with.
 */
export function createPastActivities(deps: PastDeps): Required<Pick<Remote, 'readActivities'>> {
  return {
    async readActivities({ object, id }, options) {
      const record = await deps.readRecord({ object, id }, options);
      if (record === null || record.id !== id) throw gone(object);
      const told: Told[] = [];
      for (const attribute of attributesOf(deps.catalog, object)) {
        told.push(await readAttribute(deps, { object, record, attribute }, options));
      }
      const activities = withBirth(
        told.flatMap((one) => one.activities),
        record,
      );
      return {
        activities: activities.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)),
        next: null,
        isLegible: told.every(({ isLegible }) => isLegible),
      };
    },
  };
}

function attributesOf(catalog: Catalog, object: ObjectSchema): readonly Attribute[] {
  const fields = new Set(object.fields.map(({ name }) => name));
  const all = [...(catalog.object(object.object)?.attributes.values() ?? [])];
  return all.filter(({ slug, isArchived }) => {
    return !isArchived && !SYSTEM_ATTRIBUTES.has(slug) && fields.has(slug);
  });
}

interface Of {
  readonly object: ObjectSchema;
  readonly record: RemoteRecord;
  readonly attribute: Attribute;
}

async function readAttribute(deps: PastDeps, of: Of, options: CallOptions): Promise<Told> {
  const { object, record, attribute } = of;
  const { slug, isMulti, isWritable } = attribute;
  const write = Object.hasOwn(record.writes ?? {}, slug) ? record.writes?.[slug] : undefined;
  const isFirst =
    write !== undefined && record.savedAt != null && write.atMs <= Date.parse(record.savedAt);
  const isEmpty = write === undefined;
  if (!isWritable || (isFirst && !isMulti)) {
    return { activities: isEmpty ? [] : [asItIs(of, isFirst)], isLegible: true };
  }
  try {
    const items = await deps.readValues({ object, id: record.id }, slug, options);
    return toldBy(items, { ...of, decoder: deps.decoder });
  } catch (error) {
    // Of what it fills itself it keeps no past, whoever may write there.
    if (!(error instanceof RemoteError) || error.status !== 400) throw error;
    return { activities: isEmpty ? [] : [asItIs(of, isFirst)], isLegible: true };
  }
}

/** Of the value that stands alone; null before where the record was saved with it. */
function asItIs({ record, attribute: { slug } }: Of, isFirst: boolean): Activity {
  const write = record.writes?.[slug];
  const at = new Date(write?.atMs ?? 0).toISOString();
  const names = new Set([slug, slug + CURRENCY_SUFFIX, slug + OBJECT_SUFFIX]);
  const held = Object.entries(record.fields).filter(([name, value]) => {
    return names.has(name) && value !== null;
  });
  const known = isFirst ? ({ was: null, op: 'add' } as const) : { was: undefined, op: null };
  return {
    id: `${slug}@${at}`,
    at,
    actor: write?.by ?? null,
    kind: isFirst ? 'create' : 'update',
    type: 'value',
    changes: held.map(([field, value]) => ({ field, path: [], value, ...known })),
  };
}

interface Span {
  readonly item: Value;
  /** To the millisecond, in a form that sorts. */
  readonly from: string;
  /** Null where it holds. */
  readonly until: string | null;
}

function toldBy(items: readonly unknown[], of: Of & { readonly decoder: Decoder }): Told {
  const { record, attribute } = of;
  const spans = items.flatMap((item) => spanOf(item) ?? []);
  const instants = new Set(spans.flatMap(({ from, until }) => [from, until ?? []].flat()));
  const saved = typeof record.savedAt === 'string' ? key(record.savedAt) : null;
  const activities: Activity[] = [];
  let before: ReadonlyMap<string, Json> = new Map();
  for (const instant of [...instants].toSorted()) {
    const held = spans.filter(({ from, until }) => {
      return from <= instant && (until === null || until > instant);
    });
    const now = fieldsOf(held, of);
    const changes = changesBetween(before, now);
    before = now;
    if (changes.length === 0) continue;
    const at = `${instant}Z`;
    const begun = held.findLast(({ from }) => from === instant);
    activities.push({
      id: `${attribute.slug}@${at}`,
      at,
      actor: begun === undefined ? null : actorOf(begun.item),
      kind: saved !== null && instant <= saved ? 'create' : 'update',
      type: 'value',
      changes,
    });
  }
  return { activities, isLegible: spans.length === items.length };
}

function spanOf(item: unknown): Span | null {
  if (!isObject(item) || typeof item['active_from'] !== 'string') return null;
  const from = key(item['active_from']);
  const { active_until: ended } = item;
  const until = typeof ended === 'string' ? key(ended) : null;
  if (from === null || (typeof ended === 'string' && until === null)) return null;
  return { item, from, until };
}

/** The fields that an attribute is, as these values make them; links as the list of their ids. */
function fieldsOf(
  spans: readonly Span[],
  { object, record, attribute: { slug }, decoder }: Of & { readonly decoder: Decoder },
): ReadonlyMap<string, Json> {
  const values = spans.map(({ item }) => ({ ...item, active_until: null }));
  const read = decoder.record(object, { id: { record_id: record.id }, values: { [slug]: values } });
  const linked = Object.entries(read.links).map(([name, { ids }]) => {
    return [name, ids.length === 0 ? null : ids] as const;
  });
  return new Map([...Object.entries(read.fields), ...linked]);
}

function changesBetween(
  before: ReadonlyMap<string, Json>,
  now: ReadonlyMap<string, Json>,
): readonly ActivityChange[] {
  return [...now].flatMap(([field, value]): ActivityChange[] => {
    const was = before.get(field) ?? null;
    if (stringifyJson(was) === stringifyJson(value)) return [];
    return [{ field, path: [], value, was, op: opOf(was, value) }];
  });
}

function opOf(was: Json, value: Json): ActivityChange['op'] {
  if (was === null) return 'add';
  return value === null ? 'delete' : 'update';
}

function actorOf({ created_by_actor: actor }: Value): string | null {
  return isObject(actor) && typeof actor['id'] === 'string' ? actor['id'] : null;
}

/** A record that was saved with nothing was created all the same. */
function withBirth(
  activities: readonly Activity[],
  { savedAt, createdBy }: RemoteRecord,
): readonly Activity[] {
  if (savedAt == null || activities.some(({ kind }) => kind === 'create')) return activities;
  const changes = [{ ...UNTOLD, value: {} }];
  const birth = { id: `created@${savedAt}`, at: savedAt, actor: createdBy, type: 'value', changes };
  return [...activities, { ...birth, kind: 'create' }];
}

const TO_THE_MILLISECOND = 'YYYY-MM-DDTHH:MM:SS.sss'.length;

/** An instant to the millisecond, in a form that sorts; null where it is none. */
function key(instant: string): string | null {
  return sortable(instant)?.slice(0, TO_THE_MILLISECOND) ?? null;
}
