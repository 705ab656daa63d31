import type { Json } from '../../src/domain/json.ts';
import { OBJECTS, type ObjectName } from './arena.ts';
import { fieldKey, type RemoteWrite } from './ledger.ts';
import { columnsOf } from './local-steps.ts';
import type { World } from './world.ts';

type Draft = Omit<RemoteWrite, 'order' | 'racing'>;

function note(world: World, writes: readonly Draft[]): void {
  const { ledger, emulator, pushing, written } = world;
  for (const write of writes) {
    // A job may still overwrite it.
    const racing = pushing > 0 || written.server.isOpen(write.object);
    ledger.remote.push({ ...write, order: ledger.nextOrder(), racing });
  }
  ledger.look(emulator.store);
}

function draw(world: World): { readonly object: ObjectName; readonly id: string } | null {
  const object = world.chance.of(OBJECTS);
  const id = world.chance.any(world.emulator.store.ids(object));
  return id === undefined ? null : { object, id };
}

function drawFields(world: World, object: string): Record<string, Json> {
  const { chance, ledger, emulator, switches } = world;
  const fields: Record<string, Json> = {};
  // Where answers leave nulls out, nothing tells a cleared field from an unknown one.
  const clears = !switches.omitNulls;
  for (let n = chance.int(1, 2); n > 0; n -= 1) {
    const { field, kind, target } = chance.of(columnsOf(world, object));
    if (kind === 'text') fields[field] = clears && chance.once(8) ? null : `r${ledger.fresh()}`;
    else if (kind === 'number') fields[field] = ledger.fresh();
    else if (kind === 'texts') fields[field] = { items: [`+1 ${ledger.fresh()}`] };
    else {
      const id = chance.any(emulator.store.ids(target ?? 'company'));
      if (id !== undefined || clears) fields[field] = id ?? null;
    }
  }
  return fields;
}

function create(world: World): string {
  const { chance, ledger, emulator } = world;
  const object = chance.of(OBJECTS);
  const marker = `x${ledger.fresh()}`;
  const fields: Record<string, Json> & { marker: string } = {
    ...drawFields(world, object),
    marker,
  };
  const name = `shared${chance.int(1, 3)}`;
  const items = object === 'person' ? [`${name}@example.com`] : [`${name}.example`];
  const unique = { company: 'domains', person: 'email_addresses', task: null }[object];
  const isTaken = emulator.store
    .all(object)
    .some(({ attributes }) => JSON.stringify(attributes[unique ?? ''])?.includes(`"${items[0]}"`));
  if (unique !== null && !isTaken && chance.once(2)) fields[unique] = { items };
  return `create ${object} ${createRecord(world, object, fields)}`;
}

/** Somebody creates a record in the app. @returns its id. */
export function createRecord(
  world: World,
  object: ObjectName,
  fields: Readonly<Record<string, Json>> & { readonly marker: string },
): string {
  const id = world.emulator.store.create(object, fields);
  note(world, [{ op: 'create', object, id, field: 'marker', value: fields.marker }]);
  return id;
}

function edit(world: World): string {
  const row = draw(world);
  if (!row) return 'edit: no records';
  editRecord(world, row.object, row.id, drawFields(world, row.object));
  return `edit ${row.object} ${row.id}`;
}

/** Somebody edits a record in the app. */
export function editRecord(
  world: World,
  object: ObjectName,
  id: string,
  fields: Readonly<Record<string, Json>>,
): void {
  world.emulator.store.update(object, id, fields);
  note(
    world,
    Object.entries(fields).map(([field, value]) => {
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : null;
      return { op: 'update', object, id, field, value: field.endsWith('_id') ? null : text };
    }),
  );
}

/** A value that may have been there before. */
function editBack(world: World): string {
  const row = draw(world);
  const column = row && columnsOf(world, row.object).find(({ kind }) => kind === 'text');
  if (!row || !column) return 'edit back: no records';
  const value = `w${world.chance.int(1, 3)}`;
  world.ledger.repeated.add(fieldKey(row.object, row.id, column.field));
  world.emulator.store.update(row.object, row.id, { [column.field]: value });
  note(world, [{ op: 'update', ...row, field: column.field, value: null }]);
  return `set ${row.object}.${column.field} ${row.id} to an old value`;
}

/** Many records get one timestamp, as a bulk call gives it. */
function touch(world: World): string {
  const object = world.chance.of(OBJECTS);
  const ids = world.emulator.store.ids(object).filter(() => world.chance.once(2));
  world.emulator.store.stampMany(object, ids, world.clock.nowMs());
  return `touch ${ids.length} ${object}`;
}

function remove(world: World): string {
  const row = draw(world);
  if (!row) return 'delete: no records';
  world.emulator.store.delete(row.object, row.id);
  note(world, [{ op: 'delete', ...row, field: null, value: null }]);
  return `delete ${row.object} ${row.id}`;
}

function merge(world: World): string {
  const { emulator, chance, ledger } = world;
  const object = chance.of(OBJECTS);
  const ids = emulator.store.ids(object);
  const target = chance.any(ids);
  const source = chance.any(ids.filter((id) => id !== target));
  if (target === undefined || source === undefined) return 'merge: no records';
  emulator.store.merge(object, target, [source]);
  ledger.merged.add(target).add(source);
  note(world, [{ op: 'merge', object, id: source, field: null, value: null }]);
  return `merge ${object} ${source} into ${target}`;
}

function relink(world: World): string {
  const { store } = world.emulator;
  const company = world.chance.any(store.ids('company'));
  const person = world.chance.any(store.ids('person'));
  if (company === undefined || person === undefined) return 'link: no records';
  const isLinked = store.linked('company', company, 'watchers').includes(person);
  store[isLinked ? 'unlink' : 'link']('company', company, 'watchers', [person]);
  return `${isLinked ? 'unlink' : 'link'} company ${company} and person ${person}`;
}

/** Somebody works in the app, a moment after whatever was done there before. */
export async function remoteStep(world: World): Promise<string> {
  await world.clock.skip(120);
  const step = world.chance.weighted([
    [4, create],
    [8, edit],
    [1, editBack],
    [1, touch],
    [2, remove],
    [1, merge],
    [2, relink],
  ] as const);
  return `app: ${step(world)}`;
}
