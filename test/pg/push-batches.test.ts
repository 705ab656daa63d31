import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;

const push = () => pushOnce(workspace.session, { signal: workspace.signal });
const pull = () => pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });

/** Writes sent since the last reset, and all requests. */
function sent(): { writes: number; requests: number } {
  const { endpoints, requests } = workspace.emulator.stats();
  const writes = Object.entries(endpoints)
    .filter(([endpoint]) => !endpoint.startsWith('GET '))
    .reduce((sum, [, each]) => sum + each.requests, 0);
  return { writes, requests };
}

const parked = () =>
  workspace.sql(
    `SELECT record_id AS id, last_error AS reason FROM clarify_sync.outbox WHERE state = 'parked' ORDER BY id`,
  );

describe('in the current dialect', () => {
  beforeAll(async () => {
    const object = { pull: '* * * * *', history: false, delete: 'push', fields: {} } as const;
    workspace = await openWorkspace({
      emulator: { sizes: { person: 2_000, deal: 230, c_project: 3 } },
      config: { objects: { c_project: { ...object, key: 'code' } } },
    });
    await pull();
  });
  afterAll(() => workspace.stop());

  test('2,000 changes of one object take at most 24 writes', async () => {
    const { emulator, sql } = workspace;
    await sql(`UPDATE clarify.person SET job_title = 'Many'`);
    emulator.resetStats();
    expect(await push()).toMatchObject({ delivered: 2_000 });
    expect(sent().writes).toBeLessThanOrEqual(24);
    const titles = emulator.store.all('person').map(({ attributes }) => attributes.job_title);
    expect(titles.filter((title) => title !== 'Many')).toEqual([]);
  });

  test('3 bad among 230 are found within 40 requests, and a later edit mends each', async () => {
    const { emulator, sql } = workspace;
    const [taken, ...others] = emulator.store.ids('deal');
    const bad = [others[10], others[110], others[210]];
    await sql('UPDATE clarify.deal SET amount = 4711');
    await sql(
      `UPDATE clarify.deal SET name = (SELECT name FROM clarify.deal WHERE id = $1) WHERE id = ANY($2)`,
      [taken, bad],
    );
    emulator.resetStats();
    expect(await push()).toMatchObject({ delivered: 227, refused: 3 });
    expect(sent().requests).toBeLessThanOrEqual(40);
    const waiting = await parked();
    expect(new Set(waiting.map(({ id }) => id))).toEqual(new Set(bad));
    for (const { reason } of waiting) expect(reason).toMatch(/^remote-duplicate: ./);

    await sql(`UPDATE clarify.deal SET name = 'Mended ' || id WHERE id = ANY($1)`, [bad]);
    expect(await push()).toMatchObject({ delivered: 3, refused: 0 });
    expect(await parked()).toEqual([]);
    for (const id of bad) {
      expect(emulator.store.get('deal', id ?? '')?.attributes).toMatchObject({
        name: `Mended ${id}`,
        amount: 4711,
      });
    }
  });

  test('to take the bad part back mends the rest of the edit as well', async () => {
    const { emulator, sql } = workspace;
    const id = emulator.store.create('person', { lifecycle: 'Lead' });
    await pull();
    await sql(`UPDATE clarify.person SET lifecycle = 'lead', job_title = 'Kept' WHERE id = $1`, [
      id,
    ]);
    expect(await push()).toMatchObject({ refused: 1 });
    await sql(`UPDATE clarify.person SET lifecycle = 'Lead' WHERE id = $1`, [id]);
    // What is equal on both sides is settled here; nothing but the job title is left to send.
    await pull();
    await push();
    expect(await parked()).toEqual([]);
    expect(emulator.store.get('person', id)?.attributes.job_title).toBe('Kept');
  });

  test('a custom unique field named as key makes creates repeatable, and known ones edits', async () => {
    const { emulator, sql } = workspace;
    const [known] = emulator.store.all('c_project');
    const before = emulator.store.count('c_project');
    emulator.faults.add({ kind: 'reset-after-write', method: 'POST', path: 'c_project', count: 1 });
    await sql(
      `INSERT INTO clarify.c_project (code, name) VALUES ('KEY-1', 'Keyed'), ($1, 'Known')`,
      [known?.attributes.code],
    );
    await push();
    expect(emulator.store.count('c_project')).toBe(before + 1);
    expect(emulator.store.get('c_project', known?.id ?? '')?.attributes.name).toBe('Known');
    const rows = await sql(`SELECT name FROM clarify.c_project WHERE name IN ('Keyed', 'Known')`);
    expect(rows).toHaveLength(2);
    const reasons = await sql(
      `SELECT reason FROM clarify_sync.id_map WHERE object = 'c_project' ORDER BY reason`,
    );
    expect(reasons).toEqual([{ reason: 'adopted' }, { reason: 'pushed' }]);
  });

  test('a body that is too large is halved, and batches grow again', async () => {
    const { emulator, sql } = workspace;
    emulator.switches.bulkBytesMax = 6_000;
    const some = 'id IN (SELECT id FROM clarify.person ORDER BY id LIMIT 400)';
    await sql(`UPDATE clarify.person SET linkedin_url = repeat('x', 200) WHERE ${some}`);
    expect(await push()).toMatchObject({ delivered: 400, refused: 0 });
    emulator.switches.bulkBytesMax = 0;
    await sql(`UPDATE clarify.person SET linkedin_url = NULL WHERE ${some}`);
    await push();
    await sql(`UPDATE clarify.person SET job_title = 'Again' WHERE ${some}`);
    emulator.resetStats();
    expect(await push()).toMatchObject({ delivered: 400 });
    expect(sent().writes).toBeLessThanOrEqual(8);
  });
});

describe('in the classic dialect', () => {
  beforeAll(async () => {
    workspace = await openWorkspace({ emulator: { dialect: 'classic', sizes: { person: 300 } } });
    await pull();
  });
  afterAll(() => workspace.stop());

  test('batches hold 25, and nothing is refused for its size', async () => {
    const { emulator, sql } = workspace;
    await sql(`UPDATE clarify.person SET title = 'Many'`);
    emulator.resetStats();
    expect(await push()).toMatchObject({ delivered: 300, refused: 0 });
    expect(sent().writes).toBe(12);
    const refused = Object.values(emulator.stats().endpoints).flatMap(({ byStatus }) =>
      Object.keys(byStatus).filter((status) => status.startsWith('4')),
    );
    expect(refused.filter((status) => status !== '404')).toEqual([]);
  });
});
