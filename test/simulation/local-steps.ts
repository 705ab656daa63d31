import { quoteIdent } from '../../src/domain/names.ts';
import { OBJECTS, type ObjectName } from './arena.ts';
import { fieldKey } from './ledger.ts';
import type { User } from './user.ts';
import type { World } from './world.ts';

type Step = (world: World, user: User) => Promise<string>;

interface Column {
  readonly field: string;
  readonly kind: 'text' | 'number' | 'texts' | 'reference';
  readonly target?: ObjectName;
}

/** What users edit, by dialect and object. */
export function columnsOf({ arena }: Pick<World, 'arena'>, object: string): readonly Column[] {
  const classic = arena.dialect === 'classic';
  switch (object) {
    case 'company':
      return [
        { field: 'name', kind: 'text' },
        { field: 'employee_count', kind: 'number' },
        { field: 'parent_id', kind: 'reference', target: 'company' },
        { field: 'contact_id', kind: 'reference', target: 'person' },
      ];
    case 'person':
      return [
        { field: classic ? 'title' : 'job_title', kind: 'text' },
        { field: 'linkedin_url', kind: 'text' },
        { field: 'lead_score', kind: 'number' },
        { field: 'phone_numbers', kind: 'texts' },
        ...(classic
          ? []
          : [{ field: 'company_id', kind: 'reference', target: 'company' } as const]),
      ];
    default:
      return [
        { field: 'title', kind: 'text' },
        { field: 'person_id', kind: 'reference', target: 'person' },
      ];
  }
}

const tableOf = (object: string): string => `clarify.${quoteIdent(object)}`;

/** A value for a column, as SQL takes it; null clears. */
async function drawValue(world: World, user: User, column: Column): Promise<unknown> {
  const { chance, ledger } = world;
  if (chance.once(8)) return null;
  switch (column.kind) {
    case 'text':
      return `v${ledger.fresh()}`;
    case 'number':
      return ledger.fresh();
    case 'texts':
      return Array.from({ length: chance.int(1, 2) }, () => `+44 20 ${ledger.fresh()}`);
    case 'reference':
      return chance.any(await user.ids(tableOf(column.target ?? 'company'))) ?? null;
  }
}

/** What is written of a field; lists and links are compared in the end only. */
function written(column: Column, value: unknown): string | null {
  return column.kind === 'text' || column.kind === 'number' ? textOf(value) : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

async function insertRow(
  world: World,
  user: User,
  object: ObjectName,
  given: Readonly<Record<string, unknown>> = {},
): Promise<string | null> {
  const { chance, ledger } = world;
  const marker = `m${ledger.fresh()}`;
  const values: Record<string, unknown> = { marker };
  for (const column of columnsOf(world, object)) {
    if (chance.once(2)) values[column.field] = await drawValue(world, user, column);
  }
  const unique = { company: 'domains', person: 'email_addresses', task: null }[object];
  if (unique !== null && !chance.once(4)) {
    const name = chance.once(4) ? `Shared${chance.int(1, 3)}` : `U${ledger.fresh()}`;
    values[unique] = [object === 'person' ? `${name}@Example.com` : `${name}.Example`];
  }
  if (object === 'task') values.title = `t${ledger.fresh()}`;
  Object.assign(values, given);
  const fields = Object.keys(values);
  const [row] = await user.write(
    `INSERT INTO ${tableOf(object)} (${fields.map(quoteIdent).join(', ')})
     VALUES (${fields.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
    Object.values(values),
    (rows) =>
      rows.map(({ id }) => {
        return { op: 'insert', object, id: String(id), field: 'marker', value: marker };
      }),
  );
  return row ? String(row.id) : null;
}

async function updateRow(
  world: World,
  user: User,
  object: string,
  id: string,
  given?: Readonly<Record<string, unknown>>,
): Promise<boolean> {
  const { chance, ledger } = world;
  const columns = columnsOf(world, object);
  const values: Record<string, unknown> = { ...given };
  if (!given) {
    for (let n = chance.int(1, 2); n > 0; n -= 1) {
      const column = chance.of(columns);
      values[column.field] = await drawValue(world, user, column);
    }
  }
  const fields = Object.keys(values);
  const rows = await user.write(
    `UPDATE ${tableOf(object)} SET ${fields.map((f, i) => `${quoteIdent(f)} = $${i + 2}`).join(', ')}
      WHERE id = $1 RETURNING id`,
    [id, ...Object.values(values)],
    (returned) =>
      returned.flatMap(() =>
        columns
          .filter(({ field }) => fields.includes(field))
          .map((column) => {
            const value = written(column, values[column.field]);
            return { op: 'update' as const, object, id, field: column.field, value };
          }),
      ),
  );
  for (const field of given ? fields : []) ledger.repeated.add(fieldKey(object, id, field));
  return rows.length > 0;
}

async function drawRow(
  world: World,
  user: User,
): Promise<{ readonly object: ObjectName; readonly id: string } | null> {
  const object = world.chance.of(OBJECTS);
  const id = world.chance.any(await user.ids(tableOf(object)));
  return id === undefined ? null : { object, id };
}

const insert: Step = async (world, user) => {
  const object = world.chance.of(OBJECTS);
  return `insert ${object} ${await insertRow(world, user, object)}`;
};

/** Rows that refer to each other by ids given here, in a circle. */
const insertCircle: Step = async (world, user) => {
  const company = await insertRow(world, user, 'company');
  const classic = world.arena.dialect === 'classic';
  const links = classic ? {} : { company_id: company };
  const person = await insertRow(world, user, 'person', company ? links : {});
  if (company && person) await updateRow(world, user, 'company', company, { contact_id: person });
  if (person) await insertRow(world, user, 'task', { person_id: person });
  return `insert company ${company} and person ${person} that refer to each other`;
};

/** The same e-mail address twice: both are one person. */
const insertTwice: Step = async (world, user) => {
  const email_addresses = [`twin${world.ledger.fresh()}@example.com`];
  const first = await insertRow(world, user, 'person', { email_addresses });
  const second = await insertRow(world, user, 'person', { email_addresses });
  return `insert person ${first} and ${second} with one address`;
};

const insertAndChange: Step = async (world, user) => {
  const object = world.chance.of(OBJECTS);
  const id = await insertRow(world, user, object);
  if (id === null) return `insert ${object}: refused`;
  await updateRow(world, user, object, id);
  if (world.chance.once(2)) await deleteRow(user, object, id);
  return `insert ${object} ${id}, update and perhaps delete it`;
};

const update: Step = async (world, user) => {
  const row = await drawRow(world, user);
  if (!row) return 'update: no rows';
  await updateRow(world, user, row.object, row.id);
  return `update ${row.object} ${row.id}`;
};

/** There and back: the second takes back the first, and may come after it was sent. */
const updateAndBack: Step = async (world, user) => {
  const row = await drawRow(world, user);
  const column =
    row && world.chance.any(columnsOf(world, row.object).filter((c) => c.kind === 'text'));
  if (!row || !column) return 'update and back: no rows';
  const value = `w${world.chance.int(1, 3)}`;
  await updateRow(world, user, row.object, row.id, { [column.field]: value });
  return `set ${row.object}.${column.field} ${row.id} to an old value`;
};

const upsert: Step = async (world, user) => {
  const row = await drawRow(world, user);
  if (!row) return 'upsert: no rows';
  const [column] = columnsOf(world, row.object);
  const value = `v${world.ledger.fresh()}`;
  if (!column || column.kind !== 'text') return 'upsert: no text';
  await user.write(
    `INSERT INTO ${tableOf(row.object)} (id, ${quoteIdent(column.field)}) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET ${quoteIdent(column.field)} = excluded.${quoteIdent(column.field)}
      RETURNING id`,
    [row.id, value],
    (rows) =>
      rows.map(({ id }) => {
        return { op: 'update', object: row.object, id: String(id), field: column.field, value };
      }),
  );
  return `upsert ${row.object} ${row.id}`;
};

const updateAll: Step = async (world, user) => {
  const object = world.chance.of(OBJECTS);
  const [column] = columnsOf(world, object);
  if (!column) return 'update all: no column';
  const value = `v${world.ledger.fresh()}`;
  await user.write(
    `UPDATE ${tableOf(object)} SET ${quoteIdent(column.field)} = $1 RETURNING id`,
    [value],
    (rows) =>
      rows.map(({ id }) => {
        return { op: 'update', object, id: String(id), field: column.field, value };
      }),
  );
  return `update every ${object}`;
};

async function deleteRow(user: User, object: string, id: string): Promise<void> {
  await user.write(`DELETE FROM ${tableOf(object)} WHERE id = $1 RETURNING id`, [id], (rows) =>
    rows.map(() => ({ op: 'delete', object, id, field: null, value: null })),
  );
}

const remove: Step = async (world, user) => {
  const row = await drawRow(world, user);
  if (!row) return 'delete: no rows';
  await deleteRow(user, row.object, row.id);
  return `delete ${row.object} ${row.id}`;
};

/** Another address or domain: what a create was known by is not what it is known by now. */
const updateUnique: Step = async (world, user) => {
  const object = world.chance.of(['company', 'person'] as const);
  const id = world.chance.any(await user.ids(tableOf(object)));
  if (id === undefined) return 'update unique: no rows';
  const name = world.chance.once(4)
    ? `Shared${world.chance.int(1, 3)}`
    : `U${world.ledger.fresh()}`;
  const values =
    object === 'person'
      ? { email_addresses: [`${name}@Example.com`] }
      : { domains: [`${name}.Example`] };
  await updateRow(world, user, object, id, values);
  return `update what identifies ${object} ${id}`;
};

/** The id given here, once more, after its row was deleted. */
const bringBack: Step = async (world, user) => {
  const object = world.chance.of(OBJECTS);
  const id = world.chance.any(
    (await user.ids(tableOf(object))).filter((each) => each.startsWith('local:')),
  );
  if (id === undefined) return 'bring back: no rows';
  await deleteRow(user, object, id);
  await insertRow(world, user, object, { id });
  return `delete ${object} ${id} and insert it again`;
};

const relink: Step = async (world, user) => {
  const company = world.chance.any(await user.ids(tableOf('company')));
  const person = world.chance.any(await user.ids(tableOf('person')));
  if (company === undefined || person === undefined) return 'link: no rows';
  const unlink = world.chance.once(3);
  const statement = unlink
    ? 'DELETE FROM clarify.company_watchers WHERE company_id = $1 AND person_id = $2'
    : `INSERT INTO clarify.company_watchers (company_id, person_id) VALUES ($1, $2)
           ON CONFLICT DO NOTHING`;
  await user.write(statement, [company, person], () => []);
  return `${unlink ? 'unlink' : 'link'} company ${company} and person ${person}`;
};

const STEPS: readonly (readonly [number, Step])[] = [
  [6, insert],
  [2, insertCircle],
  [1, insertTwice],
  [2, insertAndChange],
  [9, update],
  [2, updateAndBack],
  [2, upsert],
  [1, updateAll],
  [2, updateUnique],
  [1, bringBack],
  [3, relink],
  [3, remove],
];

/** Somebody writes, in a transaction of their own or one that stays open. */
export async function localStep(world: World): Promise<string> {
  const user = world.chance.of(world.users);
  return await user.alone(() => act(world, user));
}

async function act(world: World, user: User): Promise<string> {
  const verb = world.chance.weighted([
    [user.inTransaction ? 2 : 0, 'commit'],
    [user.inTransaction ? 1 : 0, 'rollback'],
    [user.inTransaction ? 0 : 2, 'begin'],
    [9, 'write'],
  ] as const);
  if (verb !== 'write') {
    await user[verb]();
    return `${user.name}: ${verb}`;
  }
  const step = world.chance.weighted(STEPS);
  const did = await step(world, user);
  return `${user.name}${user.inTransaction ? ' (open)' : ''}: ${did}`;
}
