import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
let daemon: RunningDaemon;

beforeAll(async () => {
  // Every second somebody reads, whatever is in flight.
  const object = { pull: '* * * * * *', history: false, delete: 'push', fields: {} } as const;
  workspace = await openWorkspace({
    emulator: { sizes: 'none' },
    config: { objects: { person: object } },
  });
  daemon = await startDaemon(workspace);
});
afterAll(async () => {
  await daemon?.stop();
  await workspace?.stop();
});

const PATIENT = { timeout: 20_000, interval: 20 };

function record(id: string) {
  return workspace.emulator.store.get('person', id)?.attributes ?? null;
}

async function titleHere(id: string): Promise<unknown> {
  const [row] = await workspace.sql('SELECT job_title FROM clarify.person WHERE id = $1', [id]);
  return row === undefined ? null : row['job_title'];
}

/** A record that both sides have. */
async function known(title: string): Promise<string> {
  const id = workspace.emulator.store.create('person', { job_title: title });
  await expect.poll(() => titleHere(id), PATIENT).toBe(title);
  return id;
}

async function settled(): Promise<void> {
  const unsettled = () =>
    workspace.sql(`SELECT id FROM clarify_sync.outbox WHERE state IN ('pending', 'sending')`);
  await expect.poll(unsettled, PATIENT).toEqual([]);
}

/** Everything the row showed until `until` is done, without repetitions. */
async function watch(id: string, until: Promise<unknown>): Promise<unknown[]> {
  const shown: unknown[] = [];
  const over = new AbortController();
  const ended = until.finally(() => over.abort());
  while (!over.signal.aborted) {
    const title = await titleHere(id);
    if (shown.at(-1) !== title) shown.push(title);
    await sleep(5);
  }
  await ended;
  return shown;
}

function writesOf(method: string): number {
  return Object.entries(workspace.emulator.stats().endpoints)
    .filter(([endpoint]) => endpoint.startsWith(method))
    .reduce((sum, [, { requests }]) => sum + requests, 0);
}

/** Writes are carried out at once and answered late, long enough for pulls to come between. */
const slowly = (method: string) =>
  workspace.emulator.faults.add({ kind: 'slow', method, ms: 2_500, count: 1 });

describe('what Heroku Connect documents as its failures', () => {
  test('flip-flop: of two quick edits, the echo of the first never shows', async () => {
    const { emulator, sql } = workspace;
    const id = await known('Before');
    const writes = writesOf('PATCH');
    slowly('PATCH');
    await sql(`UPDATE clarify.person SET job_title = 'First' WHERE id = $1`, [id]);
    await expect.poll(() => record(id)?.['job_title'], PATIENT).toBe('First');
    // Its answer is on the way, and pulls read it.
    await sql(`UPDATE clarify.person SET job_title = 'Second' WHERE id = $1`, [id]);
    const shown = await watch(
      id,
      expect
        .poll(() => record(id)?.['job_title'], PATIENT)
        .toBe('Second')
        .then(settled),
    );
    await sleep(1_500);
    expect(shown).toEqual(['Second']);
    expect(await titleHere(id)).toBe('Second');
    expect(record(id)?.['job_title']).toBe('Second');
    expect(writesOf('PATCH') - writes).toBe(2);
    expect(await sql('SELECT 1 FROM clarify_sync.conflict WHERE record_id = $1', [id])).toEqual([]);
    emulator.faults.clear();
  });

  test('revived delete: a row deleted here stays away although its record is edited', async () => {
    const { emulator, sql } = workspace;
    const id = await known('Doomed');
    // The first attempt fails, so that pulls read the edited record before the second.
    emulator.faults.add({ kind: 'status', status: 503, method: 'DELETE', count: 3 });
    await sql('DELETE FROM clarify.person WHERE id = $1', [id]);
    emulator.store.update('person', id, { job_title: 'Edited' });
    const shown = await watch(
      id,
      expect
        .poll(() => record(id), PATIENT)
        .toBeNull()
        .then(settled),
    );
    await sleep(1_500);
    expect(shown).toEqual([null]);
    expect(await titleHere(id)).toBeNull();
    emulator.faults.clear();
  });

  test('revived delete, the other way: an edit here does not bring back a deleted record', async () => {
    const { emulator, sql } = workspace;
    const id = await known('Doomed');
    emulator.store.delete('person', id);
    await sql(`UPDATE clarify.person SET job_title = 'Too late' WHERE id = $1`, [id]);
    await expect.poll(() => titleHere(id), PATIENT).toBeNull();
    await settled();
    expect(record(id)).toBeNull();
    const log = await sql(
      'SELECT field, resolution FROM clarify_sync.conflict WHERE record_id = $1',
      [id],
    );
    expect(log).toEqual([{ field: 'job_title', resolution: 'remote' }]);
    expect(emulator.store.all('person').filter(({ id: other }) => other === id)).toEqual([]);
  });

  test.each([
    ['answered late', { kind: 'slow', ms: 2_500 }],
    ['whose answer is lost', { kind: 'reset-after-write' }],
  ] as const)(
    'insert and delete before the id returns, of a create %s, leave nothing anywhere',
    async (name, fault) => {
      const { emulator, sql } = workspace;
      const before = emulator.store.count('task');
      emulator.faults.add({ ...fault, method: 'POST', count: 1 });
      await sql('INSERT INTO clarify.task (title) VALUES ($1)', [name]);
      await expect.poll(() => emulator.store.count('task'), PATIENT).toBe(before + 1);
      await sql('DELETE FROM clarify.task WHERE title = $1', [name]);
      await expect
        .poll(() => emulator.store.count('task'), { timeout: 40_000, interval: 50 })
        .toBe(before);
      await settled();
      expect(await sql('SELECT id FROM clarify.task WHERE title = $1', [name])).toEqual([]);
      expect(emulator.store.count('task')).toBe(before);
    },
    60_000,
  );
});
