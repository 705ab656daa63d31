import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

describe.each(['current', 'classic'] as const)('in the %s dialect', (dialect) => {
  let workspace: TestWorkspace;

  beforeAll(async () => {
    workspace = await openWorkspace({ emulator: { dialect } });
  });
  afterAll(() => workspace.stop());

  test('the first pull brings every field of every record', async () => {
    const { session, signal } = workspace;
    const runs = await pullAll(session, { signal, priority: 'pull' });
    // Listed in the schema, but without records to read.
    const failed = runs.filter(({ state }) => state !== 'ok');
    expect(failed).toMatchObject([{ object: 'playbook', error: { code: 'object-unavailable' } }]);
    expect(await differences(workspace)).toEqual([]);
  });

  test('a second pass writes nothing and asks at most three times per object', async () => {
    const { session, signal, emulator } = workspace;
    emulator.resetStats();
    const { objects, left } = await syncOnce(session, { signal });
    for (const { object, counts } of objects) {
      if (object === 'playbook') continue;
      expect(counts).toMatchObject({ inserted: 0, updated: 0, removed: 0, conflicts: 0 });
      expect(counts.requests).toBeLessThanOrEqual(3);
    }
    expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });
  });

  test('edits, inserts that refer to each other and deletes arrive in Clarify', async () => {
    const { session, signal, emulator, sql } = workspace;
    const title = dialect === 'current' ? 'job_title' : 'title';
    const [updated] = await sql(
      `WITH u AS (UPDATE clarify.person SET ${title} = 'Chief ' || coalesce(${title}, 'of staff')
         WHERE id IN (SELECT id FROM clarify.person ORDER BY id LIMIT 30) RETURNING 1)
       SELECT count(*)::int AS rows FROM u`,
    );
    expect(updated?.rows).toBe(30);
    await sql('BEGIN');
    const [company] = await sql(
      `INSERT INTO clarify.company (name, domains) VALUES ('Round Trip Ltd', '{roundtrip.example}') RETURNING id`,
    );
    expect(company?.id).toMatch(/^local:/);
    const reference = dialect === 'current' ? 'company_id' : 'company_name';
    const [person] = await sql(
      `INSERT INTO clarify.person (email_addresses, ${reference}) VALUES ('{ann@roundtrip.example}', $1) RETURNING id`,
      [company?.id],
    );
    await sql('COMMIT');
    const [victim] = await sql(
      `DELETE FROM clarify.deal WHERE id = (SELECT min(id) FROM clarify.deal) RETURNING id`,
    );

    const { push, left } = await syncOnce(session, { signal });
    expect(push).toMatchObject({ delivered: 33, refused: 0, failed: 0, unclear: 0 });
    expect(left).toEqual({ pending: 0, blocked: 0, parked: 0, openConflicts: 0, setAside: 0 });

    const mapped = await sql(
      'SELECT object, old_id, id, reason FROM clarify_sync.id_map ORDER BY object',
    );
    expect(mapped).toMatchObject([
      { object: 'company', old_id: company?.id, reason: 'pushed' },
      { object: 'person', old_id: person?.id, reason: 'pushed' },
    ]);
    const [companyMap, personMap] = mapped;
    expect(emulator.store.get('company', String(companyMap?.id))?.attributes.name).toBe(
      'Round Trip Ltd',
    );
    expect(emulator.store.get('deal', String(victim?.id))).toBeNull();
    const [row] = await sql('SELECT _local_id FROM clarify.person WHERE id = $1', [personMap?.id]);
    expect(row?._local_id).toBe(person?.id);
    if (dialect === 'current') {
      expect(emulator.store.get('person', String(personMap?.id))?.attributes.company_id).toBe(
        companyMap?.id,
      );
    }
    await syncOnce(session, { signal });
    expect(await differences(workspace)).toEqual([]);
    const [open] = await sql(
      `SELECT count(*)::int AS entries FROM clarify_sync.outbox WHERE state NOT IN ('done', 'superseded')`,
    );
    expect(open?.entries).toBe(0);
  });
});
