import { quoteIdent } from '../../src/domain/names.ts';
import type { ObjectName } from './arena.ts';
import { createRecord, editRecord } from './remote-steps.ts';
import { pull, push } from './sync-steps.ts';
import type { User } from './user.ts';
import type { Daemon, World } from './world.ts';

/** Does the one thing that a guarantee is about. @returns what it saw that may not be. */
export type Scenario = (world: World) => Promise<readonly string[]>;

type Values = Readonly<Record<string, string | number>>;

export const PAST_THE_LEASE_MS = 11_000;
const MOST_TAKEOVERS = 10;

/** The answer to a create is lost, and the next push comes before a late write has to show. */
export const lostAnswer: Scenario = async (world) => {
  const { a, ann } = cast(world);
  await insert(ann, 'task', { title: 't1', marker: 'm1' });
  world.emulator.faults.add({ kind: 'reset-after-write', method: 'POST', count: 1 });
  await push(world, a);
  await push(world, a);
  return [];
};

/**
 * A leader is told that its update failed, and stands still. The next one takes over, and learns
 * that the record was edited in the app since: the local edit has lost.
 */
export const formerLeader: Scenario = async (world) => {
  const { a, b, ann } = cast(world);
  const id = createRecord(world, 'company', { name: 'r1', marker: 'x1' });
  await pull(world, a);
  await update(ann, 'company', id, { name: 'v1' });
  world.emulator.faults.add({ kind: 'status', status: 503, applied: false, method: 'PATCH' });
  await a.session();
  const standstill = a.fate.pauseAt(({ ask }) => ask === 'update');
  const pushing = push(world, a);
  await Promise.race([standstill.reached, pushing]);
  world.emulator.faults.clear();
  await world.clock.pass(PAST_THE_LEASE_MS);
  editRecord(world, 'company', id, { name: 'r2' });
  // On a slow machine the one that stands still may have renewed its lease after all.
  for (let n = 0; n < MOST_TAKEOVERS && (await push(world, b)).includes('leads'); n += 1) {
    await world.clock.pass(PAST_THE_LEASE_MS);
  }
  standstill.resume();
  await pushing;
  return [];
};

/** Both sides edit one record, each another field. */
export const otherField: Scenario = async (world) => {
  const { a, ann } = cast(world);
  const id = await bornHere(world, a, ann);
  await update(ann, 'company', id, { name: 'v2' });
  editRecord(world, 'company', id, { employee_count: 7 });
  await pull(world, a);
  return [];
};

/** A row is edited in a transaction that outlasts the settlement of its create. */
export const editWhileBorn: Scenario = async (world) => {
  const { a, ann, bob } = cast(world);
  const localId = await insert(ann, 'company', { name: 'v1', marker: 'm1' });
  await bob.begin();
  await update(bob, 'company', localId, { name: 'v2' });
  await push(world, a);
  await bob.commit();
  await world.clock.skip(1_000);
  const [id = ''] = world.emulator.store.ids('company');
  editRecord(world, 'company', id, { name: 'r1' });
  await pull(world, a);
  return [];
};

/** A page is on its way while a row it tells of is deleted, and that is settled. */
export const deletedSinceRead: Scenario = async (world) => {
  const { a, b, ann } = cast(world);
  const id = createRecord(world, 'company', { name: 'r1', marker: 'x1' });
  await pull(world, a);
  const page = a.fate.pauseAt(({ ask, object }) => ask === 'readPage' && object === 'company');
  const pulling = pull(world, a);
  await Promise.race([page.reached, pulling]);
  await remove(ann, 'company', id);
  await push(world, b);
  // Before the feed of deletions mends it.
  const feed = a.fate.pauseAt(({ ask }) => ask === 'readDeletions');
  page.resume();
  await Promise.race([feed.reached, pulling]);
  const rows = await ann.ids('clarify.company');
  feed.resume();
  await pulling;
  return rows.includes(id) ? ['a row came back that had been deleted'] : [];
};

/** Rows born here that refer to each other; what would put the later link right does not arrive. */
export const circle: Scenario = async (world) => {
  const { a, ann } = cast(world);
  const company = await insert(ann, 'company', { name: 'v1', marker: 'm1' });
  const person = await insert(ann, 'person', { company_id: company, marker: 'm2' });
  await update(ann, 'company', company, { contact_id: person });
  world.emulator.faults.add({ kind: 'status', status: 503, applied: false, method: 'PATCH' });
  await push(world, a);
  // Objects are settled side by side: what one held while the other was, is for whoever comes next.
  await pull(world, a);
  const { rows } = await world.arena.client.query<{ links: string }>(
    `SELECT concat_ws(' ', c.contact_id, p.company_id) AS links
       FROM clarify.company AS c CROSS JOIN clarify.person AS p`,
  );
  return rows.flatMap(({ links }) =>
    links.includes('local:') ? ['a row names another by the id that was given here'] : [],
  );
};

export function cast({ daemons, users }: World) {
  const [[a, b], [ann, bob]] = [daemons, users];
  if (!a || !b || !ann || !bob) throw new Error('somebody is missing');
  return { a, b, ann, bob };
}

/** A company that was made here, and is known to both sides. */
async function bornHere(world: World, daemon: Daemon, user: User): Promise<string> {
  await insert(user, 'company', { name: 'v1', marker: 'm1' });
  await push(world, daemon);
  const [id = ''] = world.emulator.store.ids('company');
  return id;
}

export async function insert(user: User, object: ObjectName, values: Values): Promise<string> {
  const fields = Object.keys(values);
  const [row] = await user.write(
    `INSERT INTO clarify.${object} (${fields.map(quoteIdent).join(', ')})
     VALUES (${fields.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
    Object.values(values),
    (rows) =>
      rows.map(({ id }) => {
        const value = String(values.marker);
        return { op: 'insert', object, id: String(id), field: 'marker', value };
      }),
  );
  return String(row?.id);
}

export async function update(
  user: User,
  object: ObjectName,
  id: string,
  values: Values,
): Promise<void> {
  const fields = Object.keys(values);
  await user.write(
    `UPDATE clarify.${object} SET ${fields.map((f, i) => `${quoteIdent(f)} = $${i + 2}`).join(', ')}
      WHERE id = $1 RETURNING id`,
    [id, ...Object.values(values)],
    () =>
      fields
        .filter((field) => !field.endsWith('_id'))
        .map((field) => ({ op: 'update', object, id, field, value: String(values[field]) })),
  );
}

async function remove(user: User, object: ObjectName, id: string): Promise<void> {
  await user.write(`DELETE FROM clarify.${object} WHERE id = $1 RETURNING id`, [id], () => [
    { op: 'delete', object, id, field: null, value: null },
  ]);
}
