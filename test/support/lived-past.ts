import fc from 'fast-check';
import { createDecoder } from '../../src/crm/clarify/decode-record.ts';
import { readSchemas } from '../../src/crm/clarify/schemas.ts';
import { createWireForms } from '../../src/crm/clarify/wire-forms.ts';
import type { Json } from '../../src/domain/json.ts';
import type { ObjectSchema } from '../../src/domain/schema.ts';
import { builtInObjects } from '../../src/emulator/clarify/built-in-objects.ts';
import type { FieldDefinition } from '../../src/emulator/clarify/object-definition.ts';
import { schemaItems } from '../../src/emulator/clarify/schema-document.ts';
import type { Store } from '../../src/emulator/clarify/store.ts';
import type { Switches } from '../../src/emulator/clarify/switches.ts';

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

/** Objects with every kind of field, and links among them. */
export const OBJECTS = ['person', 'company', 'deal', 'c_project', 'meeting'] as const;

export const anyDeed: fc.Arbitrary<Deed> = fc.record({
  what: fc.constantFrom(
    ...([
      'create',
      'edit',
      'edit',
      'edit',
      'edit',
      'clear',
      'add',
      'add',
      'add',
      'remove',
    ] as const),
    ...(['link', 'unlink', 'merge', 'delete'] as const),
  ),
  object: fc.nat(4),
  record: fc.nat(2),
  other: fc.nat(3),
  field: fc.nat(19),
  value: fc.nat(5000),
  pauseMs: fc.constantFrom(0, 1, 1000, 86_400_000),
});

/** Where deeds are done, and at what time. */
export interface Stage {
  readonly store: Store;
  readonly switches: Switches;
  readonly clock: { nowMs: number };
}

/** What truly was. */
export interface Lived {
  readonly schemas: readonly ObjectSchema[];
  /** Of each record there ever was, oldest first; the last state of each millisecond. */
  readonly past: ReadonlyMap<string, readonly TrueState[]>;
}

/** Does it all in an emulated workspace, with its true past taken down after each deed. */
export function live({ store, switches, clock }: Stage, deeds: readonly Deed[]): Lived {
  const definitions = builtInObjects('current');
  const forms = createWireForms();
  const schemas = readSchemas(schemaItems(definitions, switches), forms).filter(isLived);
  const decoder = createDecoder(forms);
  decoder.know(schemas);
  const past = new Map<string, TrueState[]>();
  const taken = new Map<string, string>();
  const take = () => {
    for (const schema of schemas) {
      for (const snapshot of store.all(schema.object)) {
        const { _updated_at, _updated_by, ...told } = snapshot.attributes;
        const text = JSON.stringify(told);
        if (taken.get(snapshot.id) === text) continue;
        taken.set(snapshot.id, text);
        const { fields, mergedIds } = decoder.record(schema, snapshot);
        const states = past.get(snapshot.id) ?? [];
        past.set(snapshot.id, states);
        if (states.at(-1)?.fromMs === clock.nowMs) states.pop();
        const state = { fields: new Map(Object.entries(fields)), mergedIds: mergedIds ?? [] };
        states.push({ fromMs: clock.nowMs, ...state });
      }
    }
  };
  for (const deed of deeds) {
    clock.nowMs += deed.pauseMs;
    act(store, definitions, deed);
    take();
  }
  return { schemas, past };
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
    const values = given.map((one, index) => [one.name, valueOf(one, deed.value + index)]);
    store.create(object, Object.fromEntries(values) as Record<string, Json>);
    return;
  }
  const id = pick(ids, deed.record);
  const standing = store.get(object, id)?.attributes[field.name] ?? null;
  const set = (value: Json) => {
    // Most people change something when they save.
    const isSame = JSON.stringify(value) === JSON.stringify(standing);
    if (!isSame || deed.value % 50 === 0) store.update(object, id, { [field.name]: value });
  };
  switch (deed.what) {
    case 'edit':
      return set(valueOf(field, deed.value));
    case 'clear':
      return set(deed.value % 2 === 0 && hasItems(standing) ? { items: [] } : null);
    case 'add':
    case 'remove': {
      const list = hasItems(standing) ? standing.items : standing;
      if (!Array.isArray(list)) return set(valueOf(field, deed.value));
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
      const isMany = link.form.relation.endsWith('to-many');
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

export function hasItems(value: Json): value is { readonly items: readonly Json[] } {
  return (
    value !== null && typeof value === 'object' && 'items' in value && Array.isArray(value.items)
  );
}

function valueOf({ form }: FieldDefinition, seed: number): Json {
  const texts = ['north', 'South', 'EAST', 'west', 'a b'];
  const some = texts.slice(seed % 3, (seed % 3) + 1 + (seed % 2));
  const [one, two] = [pick([...texts, null], seed), pick([...texts, null], seed + 1)];
  switch (form.kind) {
    case 'text':
      return one;
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
      if (form.of !== 'participants') return { items: some };
      return { items: some.map((email) => ({ email, name: one })) };
    case 'value':
      if (form.of === 'richText') {
        return { text: some.map((text) => ({ type: 'p', children: [{ text }] })) };
      }
      if (form.of === 'address')
        return { street: one, city: two, postal_code: null, country: null };
      return { first_name: one, last_name: two, full_name: `${one} ${two}` };
    default:
      return { key: one };
  }
}
