import { createDecoder } from '../../../../src/crm/clarify/decode-record.ts';
import { readSchemas } from '../../../../src/crm/clarify/schemas.ts';
import { createWireForms } from '../../../../src/crm/clarify/wire-forms.ts';
import type { Json } from '../../../../src/domain/json.ts';
import type { PastChange, PastEvent } from '../../../../src/domain/past/event.ts';
import type { SeenRecord } from '../../../../src/domain/past/record-past.ts';
import type { Field, ObjectSchema } from '../../../../src/domain/schema.ts';
import { builtInObjects } from '../../../../src/emulator/clarify/built-in-objects.ts';
import type { Activity, Difference } from '../../../../src/emulator/clarify/history.ts';
import { schemaItems } from '../../../../src/emulator/clarify/schema-document.ts';
import { createStore, type Store } from '../../../../src/emulator/clarify/store.ts';
import { createWorkspace } from '../../../../src/emulator/clarify/workspace.ts';

/** One thing that somebody does in the workspace; numbers choose among what there is. */
export interface Deed {
  readonly what:
    | 'create'
    | 'edit'
    | 'clear'
    | 'add'
    | 'remove'
    | 'link'
    | 'unlink'
    | 'merge'
    | 'delete';
  readonly object: number;
  readonly record: number;
  readonly other: number;
  readonly field: number;
  readonly value: number;
  readonly pauseMs: number;
}

/** A record as it was from an instant on, in the mirror's forms. */
export interface TrueState {
  readonly fromMs: number;
  readonly fields: ReadonlyMap<string, Json>;
  readonly mergedIds: readonly string[];
}

/** A live record, what is seen of it, what its feed tells, and what truly was. */
export interface LivedRecord {
  readonly object: ObjectSchema;
  readonly id: string;
  readonly seen: SeenRecord;
  readonly events: readonly PastEvent[];
  /** Oldest first; the last state of each millisecond. */
  readonly truth: readonly TrueState[];
}

const OBJECTS = ['person', 'company', 'deal', 'c_project', 'meeting'] as const;

/** Does it all in an emulated workspace, with its true past taken down after each deed. */
export function live(deeds: readonly Deed[], deletedTargets: 'keep' | 'clear'): LivedRecord[] {
  let now = Date.UTC(2026, 0, 1);
  const definitions = builtInObjects('current');
  const workspace = createWorkspace({
    slug: 'demo',
    dialect: 'current',
    seed: 'past',
    clock: () => now,
    switches: { deletedTargets },
    objects: definitions,
  });
  const store = createStore(workspace);
  const forms = createWireForms();
  const schemas = readSchemas(schemaItems(definitions, workspace.switches), forms);
  const decoder = createDecoder(forms);
  decoder.know(schemas);
  const past = new Map<string, TrueState[]>();
  const taken = new Map<string, string>();
  const take = () => {
    for (const schema of schemas.filter(isLived)) {
      for (const snapshot of store.all(schema.object)) {
        const { _updated_at, _updated_by, ...told } = snapshot.attributes;
        const text = JSON.stringify(told);
        if (taken.get(snapshot.id) === text) continue;
        taken.set(snapshot.id, text);
        const { fields, mergedIds } = decoder.record(schema, snapshot);
        const states = past.get(snapshot.id) ?? [];
        past.set(snapshot.id, states);
        if (states.at(-1)?.fromMs === now) states.pop();
        const state = { fields: new Map(Object.entries(fields)), mergedIds: mergedIds ?? [] };
        states.push({ fromMs: now, ...state });
      }
    }
  };
  for (const deed of deeds) {
    now += deed.pauseMs;
    act(store, definitions, deed);
    take();
  }
  const sinceMs = now + 60_000;
  return schemas.filter(isLived).flatMap((object) =>
    store.ids(object.object).map((id) => {
      const truth = past.get(id) ?? [];
      const { fields = new Map<string, Json>(), mergedIds = [] } = truth.at(-1) ?? {};
      const events = workspace.history.of(object.object, id);
      return {
        object,
        id,
        seen: { fields, mergedIds, sinceMs, versionMs: now },
        events: events.map((one) => asEvent(object.fields, one)).toReversed(),
        truth,
      };
    }),
  );
}

function isLived({ object }: ObjectSchema): boolean {
  return OBJECTS.some((one) => one === object);
}

function act(store: Store, definitions: ReturnType<typeof builtInObjects>, deed: Deed): void {
  const object = pick(OBJECTS, deed.object);
  const definition = definitions.find((one) => one.object === object);
  const ids = store.ids(object);
  const fields = definition?.fields.filter(({ form }) => form.kind !== 'link') ?? [];
  const field = pick(fields, deed.field);
  if (deed.what === 'create' || ids.length === 0) {
    const given = fields.filter((_, index) => (deed.value >> (index % 12)) % 2 === 0);
    const values = given.map(({ name }, index) => [
      name,
      valueOf(name, definitions, deed.value + index),
    ]);
    store.create(object, Object.fromEntries(values) as Record<string, Json>);
    return;
  }
  const id = pick(ids, deed.record);
  const standing = store.get(object, id)?.attributes[field.name] ?? null;
  const set = (value: Json) => store.update(object, id, { [field.name]: value });
  switch (deed.what) {
    case 'edit':
      return set(valueOf(field.name, definitions, deed.value));
    case 'clear':
      return set(deed.value % 2 === 0 && hasItems(standing) ? { items: [] } : null);
    case 'add':
    case 'remove': {
      const list = hasItems(standing) ? standing.items : standing;
      if (!Array.isArray(list)) return set(valueOf(field.name, definitions, deed.value));
      const items: readonly Json[] = list;
      const at = deed.other % (items.length + 1);
      const changed =
        deed.what === 'add'
          ? items.toSpliced(at, 0, `item ${deed.value % 5}`)
          : items.toSpliced(at, 1);
      return set(hasItems(standing) ? { items: changed } : changed);
    }
    case 'link':
    case 'unlink': {
      const links = definition?.fields.filter(({ form }) => form.kind === 'link') ?? [];
      const link = pick(links, deed.field);
      if (link.form.kind !== 'link') return;
      const others = store.ids(link.form.entity);
      if (others.length === 0) return;
      const other = pick(others, deed.other);
      const isMany = link.form.relation.endsWith('to-many') && link.form.relation !== 'many-to-one';
      if (!isMany)
        return store.update(object, id, { [link.name]: deed.what === 'link' ? other : null });
      return store[deed.what](object, id, link.name, [other]);
    }
    case 'merge': {
      const sources = [pick(ids, deed.other), pick(ids, deed.value)].filter((one) => one !== id);
      if (sources.length > 0) store.merge(object, id, sources);
      return;
    }
    case 'delete':
      if (ids.length > 2) store.delete(object, id);
  }
}

function pick<T>(items: readonly T[], at: number): T {
  const item = items[at % items.length];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function hasItems(value: Json): value is { readonly items: readonly Json[] } {
  return (
    value !== null && typeof value === 'object' && 'items' in value && Array.isArray(value.items)
  );
}

function valueOf(name: string, definitions: ReturnType<typeof builtInObjects>, seed: number): Json {
  const form = definitions.flatMap(({ fields }) => fields).find((one) => one.name === name)?.form;
  const texts = ['north', 'South', 'EAST', 'west', 'a b'];
  const some = texts.slice(seed % 3, (seed % 3) + 1 + (seed % 2));
  switch (form?.kind) {
    case 'text':
      return pick([...texts, null], seed);
    case 'number':
      return pick([0, 1.5, -20, 1234.5678, null], seed);
    case 'integer':
      return pick([0, 7, 42, null], seed);
    case 'boolean':
      return pick([true, false, null], seed);
    case 'date':
      return pick(['2026-05-01', '2026-05-02', null], seed);
    case 'datetime':
      return pick(['2026-05-01T10:00:00.000Z', '2026-05-01T10:00:00.001Z', null], seed);
    case 'select':
      return pick([...form.options, null], seed);
    case 'multi-select':
      return { items: form.options.slice(seed % 3, (seed % 3) + (seed % 4)) };
    case 'array':
      return some;
    case 'collection':
      if (form.of === 'participants')
        return { items: some.map((text) => ({ email: text, name: pick(texts, seed) })) };
      return { items: some };
    case 'value':
      if (form.of === 'richText')
        return { text: some.map((text) => ({ type: 'p', children: [{ text }] })) };
      return {
        first_name: pick([...texts, null], seed),
        last_name: pick(texts, seed + 1),
        city: pick([...texts, null], seed + 2),
      };
    default:
      return { key: pick(texts, seed) };
  }
}

/** As the API tells it: what came of a link, and not what was before. */
function asEvent(fields: readonly Field[], activity: Activity): PastEvent {
  const { actor: by, atMs } = activity;
  switch (activity.kind) {
    case 'create': {
      const told = Object.entries(activity.data ?? {}).filter(([, value]) => value !== null);
      const changes = told.map(([field, val]) =>
        asChange(fields, { op: 'add', path: [field], val }),
      );
      return { atMs, by, kind: 'create', isTold: activity.data !== null, changes };
    }
    case 'update':
    case 'merge': {
      const changes = activity.diff.map((one) => asChange(fields, one));
      return { atMs, by, kind: activity.kind, isTold: changes.length > 0, changes };
    }
    case 'set-relationship': {
      const { relationship, refs } = activity;
      const isOne = fields.find(({ name }) => name === relationship)?.kind === 'reference';
      const value = isOne ? (refs[0]?.id ?? null) : refs.map(({ id }) => id);
      return {
        atMs,
        by,
        kind: 'link',
        isTold: true,
        changes: [{ field: relationship, within: [], value, was: undefined }],
      };
    }
    default:
      return {
        atMs,
        by,
        kind: activity.kind === 'delete' ? 'delete' : 'other',
        isTold: true,
        changes: [],
      };
  }
}

function asChange(fields: readonly Field[], { op, path, val, oldVal }: Difference): PastChange {
  const [name, ...within] = path;
  const field = fields.find((one) => one.name === name);
  const isTexts = field?.kind === 'texts';
  const place = isTexts && within[0] === 'items' ? within.slice(1) : within;
  const plain = (value: Json | undefined) =>
    isTexts && place.length === 0 && value !== undefined && hasItems(value) ? value.items : value;
  return {
    field: String(name),
    within: place,
    value: op === 'delete' ? null : plain(val),
    was: op === 'add' ? null : plain(oldVal),
  };
}
