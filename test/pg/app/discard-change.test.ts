import { afterEach, beforeEach, expect, test } from 'vitest';
import { discardChange } from '../../../src/app/decisions/discard-change.ts';
import { pullAll } from '../../../src/app/pull-all.ts';
import { pushOnce } from '../../../src/app/push-once.ts';
import { listConflicts } from '../../../src/db/outbox/conflict-review.ts';
import { listEntries, readEntry, retryEntries } from '../../../src/db/outbox/review.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  const sizes = { person: 6, company: 4, deal: 5, task: 2, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pull();
});

afterEach(async () => {
  await workspace?.stop();
});

async function pull(): Promise<void> {
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
}

async function push(): Promise<void> {
  await pushOnce(workspace.session, { signal: workspace.signal });
}

const unsettled = ['pending', 'sending', 'parked'] as const;

async function waiting() {
  const { entries } = await listEntries(workspace.session.db, { states: unsettled, limit: 100 });
  return entries;
}

async function discardNext() {
  const [entry] = await waiting();
  return await discardChange(workspace.session, entry?.id ?? 0n, workspace.signal);
}

async function column(table: string, name: string, id: string): Promise<unknown> {
  const [row] = await workspace.sql(`select ${name} from clarify.${table} where id = $1`, [id]);
  return row?.[name];
}

function first(object: string): string {
  return workspace.emulator.store.ids(object)[0] ?? '';
}

/** A deal that both sides know to be at this stage. */
async function dealAt(stage: string): Promise<string> {
  const id = first('deal');
  workspace.emulator.store.update('deal', id, { stage });
  await pull();
  return id;
}

test('a discarded edit gives the row what Clarify holds now, not what it held then', async () => {
  const id = await dealAt('Discovery');
  await workspace.sql(`update clarify.deal set stage = 'Lost' where id = $1`, [id]);
  workspace.emulator.store.update('deal', id, { stage: 'Won' });
  expect(await discardNext()).toBe('remote value restored');
  expect(await column('deal', 'stage', id)).toBe('Won');
  expect(await waiting()).toEqual([]);
  await push();
  expect(workspace.emulator.store.get('deal', id)?.attributes['stage']).toBe('Won');
});

test('later edits of other fields stay, of the same field are measured against what was beneath', async () => {
  const id = await dealAt('Discovery');
  await workspace.sql(`update clarify.deal set stage = 'Lost', probability = 7 where id = $1`, [
    id,
  ]);
  await workspace.sql(`update clarify.deal set stage = 'Won', amount = 12 where id = $1`, [id]);
  await discardNext();
  const [left] = await waiting();
  expect(left?.changes).toMatchObject({ stage: { base: 'Discovery', value: 'Won' } });
  expect(Object.keys(left?.changes ?? {}).toSorted()).toEqual(['amount', 'stage']);
  expect(await column('deal', 'stage', id)).toBe('Won');
  expect(await column('deal', 'probability', id)).not.toBe('7');
  await push();
  const { attributes } = workspace.emulator.store.get('deal', id) ?? {};
  expect(attributes).toMatchObject({ stage: 'Won', amount: 12 });
  expect(attributes?.['probability']).not.toBe(7);
});

test('a discarded delete brings the row back', async () => {
  const id = first('task');
  const title = await column('task', 'title', id);
  await workspace.sql('delete from clarify.task where id = $1', [id]);
  expect(await column('task', 'title', id)).toBeUndefined();
  expect(await discardNext()).toBe('remote value restored');
  expect(await column('task', 'title', id)).toBe(title);
  await push();
  expect(workspace.emulator.store.get('task', id)).not.toBeNull();
});

test('a discarded insert removes the row, and whatever waited for it', async () => {
  await workspace.sql(`insert into clarify.company (name) values ('Nobody')`);
  await workspace.sql(`update clarify.company set name = 'Nobody Ltd' where id like 'local:%'`);
  const [insert, update] = await waiting();
  await expect(
    discardChange(workspace.session, update?.id ?? 0n, workspace.signal),
  ).rejects.toThrow('Clarify does not know yet');
  expect(await discardChange(workspace.session, insert?.id ?? 0n, workspace.signal)).toBe(
    'row removed',
  );
  expect(await workspace.sql(`select 1 from clarify.company where id like 'local:%'`)).toEqual([]);
  expect(await waiting()).toEqual([]);
  await push();
  expect(workspace.emulator.store.count('company')).toBe(4);
});

test('discarding the parked side of an open conflict settles it for Clarify', async () => {
  await workspace.stop();
  const sizes = { person: 0, company: 1, deal: 1, task: 0, meeting: 0, message: 0, c_project: 0 };
  const manual = { fields: {}, history: false, delete: 'push', conflicts: 'manual' } as const;
  workspace = await openWorkspace({ emulator: { sizes }, config: { objects: { deal: manual } } });
  await pull();
  const id = await dealAt('Discovery');
  await workspace.sql(`update clarify.deal set stage = 'Lost' where id = $1`, [id]);
  workspace.emulator.store.update('deal', id, { stage: 'Won' });
  await pull();
  const { db } = workspace.session;
  const [entry] = await waiting();
  expect(entry).toMatchObject({ state: 'parked', lastError: 'conflict-open' });
  expect(await retryEntries(db, null)).toEqual([]);
  expect(await listConflicts(db, { openOnly: true, limit: 9 })).toMatchObject({
    total: 1,
    conflicts: [{ recordId: id, field: 'stage', local: 'Lost', remote: 'Won', resolution: 'open' }],
  });
  await discardNext();
  expect(await column('deal', 'stage', id)).toBe('Won');
  expect(await listConflicts(db, { openOnly: true, limit: 9 })).toEqual({
    conflicts: [],
    total: 0,
  });
  expect(await listConflicts(db, { openOnly: false, limit: 9 })).toMatchObject({
    conflicts: [{ resolution: 'remote', resolvedBy: 'outbox discard' }],
  });
});

test('what somebody holds, is being sent or is settled is left as it is', async () => {
  const id = await dealAt('Discovery');
  await workspace.sql(`update clarify.deal set stage = 'Lost' where id = $1`, [id]);
  await workspace.sql('begin');
  await workspace.sql('select from clarify.deal where id = $1 for update', [id]);
  await expect(discardNext()).rejects.toThrow('somebody holds the row');
  await workspace.sql('rollback');
  const [entry] = await waiting();
  expect(entry?.state).toBe('pending');
  await discardNext();
  const again = discardChange(workspace.session, entry?.id ?? 0n, workspace.signal);
  await expect(again).rejects.toThrow('is cancelled already');
  await expect(discardChange(workspace.session, 999n, workspace.signal)).rejects.toThrow(
    'there is no change 999',
  );
});

test('a parked change is due again after retry, with its tries forgotten', async () => {
  const { db } = workspace.session;
  const [one, two] = workspace.emulator.store.all('person');
  const taken = JSON.stringify(two?.attributes['email_addresses']).match(/[^"[\]]+@[^"[\]]+/)?.[0];
  await workspace.sql('update clarify.person set email_addresses = array[$1] where id = $2', [
    taken,
    one?.id,
  ]);
  await push();
  const [parked] = await waiting();
  expect(parked).toMatchObject({ state: 'parked', lastError: expect.stringMatching(/^remote-/) });
  const id = parked?.id ?? 0n;
  expect(await retryEntries(db, [id, 999n])).toEqual([id]);
  expect(await readEntry(db, id)).toMatchObject({ state: 'pending', attempts: 0, lastError: null });
});
