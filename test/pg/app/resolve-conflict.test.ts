import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Decision, resolveConflict } from '../../../src/app/decisions/resolve-conflict.ts';
import { pullAll } from '../../../src/app/pull-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { listConflicts, readConflict } from '../../../src/db/outbox/conflict-review.ts';
import { listEntries } from '../../../src/db/outbox/review.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

let workspace: TestWorkspace;

beforeEach(async () => {
  const manual = { conflicts: 'manual', fields: {}, history: false, delete: 'push' } as const;
  workspace = await openWorkspace({
    emulator: { sizes: 'none' },
    config: { objects: { deal: manual } },
  });
});

afterEach(async () => {
  await workspace?.stop();
});

const sync = () => syncOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
const remote = (id: string) => workspace.emulator.store.get('deal', id)?.attributes;

async function row(id: string) {
  const [found] = await workspace.sql(
    'select stage, amount, name from clarify.deal where id = $1',
    [id],
  );
  return found;
}

async function waiting() {
  const states = ['pending', 'sending', 'parked'] as const;
  const { entries } = await listEntries(workspace.session.db, { states, limit: 100 });
  return entries;
}

/** A deal whose stage and amount both sides have changed; ids of it and of the stage's conflict. */
async function meet(): Promise<{ id: string; conflict: bigint }> {
  const { emulator, session, sql } = workspace;
  const id = emulator.store.create('deal', { name: 'One', stage: 'Discovery', amount: 1 });
  await pull();
  await sql(`update clarify.deal set stage = 'Lost', amount = 2 where id = $1`, [id]);
  emulator.store.update('deal', id, { stage: 'Won', amount: 3 });
  await sync();
  const { conflicts } = await listConflicts(session.db, { openOnly: true, limit: 9 });
  expect(conflicts.map(({ field }) => field).toSorted()).toEqual(['amount', 'stage']);
  return { id, conflict: conflicts.find(({ field }) => field === 'stage')?.id ?? 0n };
}

async function resolve(conflict: bigint, take: Decision['take']): Promise<string> {
  return await resolveConflict(workspace.session, { conflict, take, by: 'ada' }, workspace.signal);
}

test('the local value is sent once it is taken, and the other conflict stays open', async () => {
  const { id, conflict } = await meet();
  expect(await resolve(conflict, 'local')).toBe('the local value is due to be sent');
  expect(await readConflict(workspace.session.db, conflict)).toMatchObject({
    resolution: 'local',
    resolvedBy: 'ada',
    resolvedAt: expect.any(String),
  });
  const { left } = await sync();
  expect(left).toMatchObject({ openConflicts: 1, parked: 1, pending: 0 });
  expect(remote(id)).toMatchObject({ stage: 'Lost', amount: 3 });
  expect(await row(id)).toMatchObject({ stage: 'Lost', amount: '2.0000' });
});

test('the remote value is back in the row at once, as it is now', async () => {
  const { id, conflict } = await meet();
  workspace.emulator.store.update('deal', id, { stage: 'Proposal', name: 'Renamed' });
  expect(await resolve(conflict, 'remote')).toBe('remote value restored');
  expect(await row(id)).toEqual({ stage: 'Proposal', amount: '2.0000', name: 'Renamed' });
  expect(await readConflict(workspace.session.db, conflict)).toMatchObject({
    resolution: 'remote',
    resolvedBy: 'ada',
  });
  const [left] = await waiting();
  expect(left).toMatchObject({ state: 'parked', lastError: 'conflict-open' });
  expect(Object.keys(left?.changes ?? {})).toEqual(['amount']);
  await sync();
  expect(remote(id)).toMatchObject({ stage: 'Proposal', amount: 3 });
});

test('the entry is cancelled once its last field is given up', async () => {
  const { id, conflict } = await meet();
  const { conflicts } = await listConflicts(workspace.session.db, { openOnly: true, limit: 9 });
  await resolve(conflict, 'remote');
  await resolve(conflicts.find((each) => each.id !== conflict)?.id ?? 0n, 'remote');
  expect(await waiting()).toEqual([]);
  expect(await row(id)).toMatchObject({ stage: 'Won', amount: '3.0000' });
  const { left } = await sync();
  expect(left).toMatchObject({ openConflicts: 0, parked: 0, pending: 0 });
});

test('a value of neither side goes into the row and to Clarify', async () => {
  const { id, conflict } = await meet();
  await resolve(conflict, { value: 'Proposal' });
  expect(await row(id)).toMatchObject({ stage: 'Proposal', amount: '2.0000' });
  expect(await readConflict(workspace.session.db, conflict)).toMatchObject({
    resolution: 'merged',
  });
  await sync();
  expect(remote(id)).toMatchObject({ stage: 'Proposal', amount: 3 });
});

test('a value that one side has is that side', async () => {
  const { id, conflict } = await meet();
  await resolve(conflict, { value: 'Won' });
  expect(await readConflict(workspace.session.db, conflict)).toMatchObject({
    resolution: 'remote',
  });
  expect(await row(id)).toMatchObject({ stage: 'Won' });
  const { conflicts } = await listConflicts(workspace.session.db, { openOnly: true, limit: 9 });
  const amount = conflicts[0]?.id ?? 0n;
  await expect(resolve(amount, { value: 'much' })).rejects.toThrow('amount takes a number');
  await resolve(amount, { value: '2.0' });
  expect(await readConflict(workspace.session.db, amount)).toMatchObject({ resolution: 'local' });
  await sync();
  expect(remote(id)).toMatchObject({ stage: 'Won', amount: 2 });
});

test('an edit in Clarify after the decision is a conflict again, and not overwritten', async () => {
  const { id, conflict } = await meet();
  await resolve(conflict, 'local');
  workspace.emulator.store.update('deal', id, { stage: 'Proposal' });
  const { left } = await sync();
  expect(left).toMatchObject({ openConflicts: 2 });
  expect(remote(id)).toMatchObject({ stage: 'Proposal' });
  expect(await row(id)).toMatchObject({ stage: 'Lost' });
});

test('an edit that came after those in the conflict stands', async () => {
  const { id, conflict } = await meet();
  await workspace.sql(`update clarify.deal set stage = 'Proposal' where id = $1`, [id]);
  expect(await resolve(conflict, 'remote')).toContain('a newer local edit');
  expect(await row(id)).toMatchObject({ stage: 'Proposal' });
  await sync();
  expect(remote(id)).toMatchObject({ stage: 'Proposal', amount: 3 });
});

test('what is settled, unknown or held by somebody is left as it is', async () => {
  const { id, conflict } = await meet();
  await expect(resolve(999n, 'local')).rejects.toThrow('there is no conflict 999');
  await workspace.sql('begin');
  await workspace.sql('select from clarify.deal where id = $1 for update', [id]);
  await expect(resolve(conflict, 'remote')).rejects.toThrow('somebody holds the row');
  await workspace.sql('rollback');
  await resolve(conflict, 'remote');
  await expect(resolve(conflict, 'local')).rejects.toThrow(
    `conflict ${conflict} is settled already: remote`,
  );
});

test('of a record that is gone only the remote side can be taken', async () => {
  const { id, conflict } = await meet();
  workspace.emulator.store.delete('deal', id);
  await expect(resolve(conflict, 'local')).rejects.toMatchObject({ code: 'conflict-record-gone' });
  expect(await resolve(conflict, 'remote')).toBe('record is gone');
  expect(await readConflict(workspace.session.db, conflict)).toMatchObject({
    resolution: 'remote',
  });
});
