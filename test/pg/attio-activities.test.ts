import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// What another CRM tells in a feed, Attio tells by the values themselves.

let attio: SyncedAttio;

beforeAll(async () => {
  const kept = { fields: {}, history: false, activities: true, delete: 'push' } as const;
  attio = await openSyncedAttio(
    { sizes: { companies: 0, people: 0, deals: 0, projects: 0 } },
    { objects: { people: kept, projects: kept } },
  );
});
afterAll(() => attio.stop());

async function told(object: string, id: string): Promise<unknown[]> {
  const rows = await attio.sql(
    `SELECT concat_ws(' ', kind, op, field, was::text, '->', value::text) AS said
       FROM attio.${object}_activity WHERE record_id = $1 ORDER BY at, event_id, position`,
    [id],
  );
  return rows.map(({ said }) => said);
}

/** Requests for values of attributes, by now. */
const requests = () =>
  Object.entries(attio.emulator.stats().endpoints)
    .filter(([endpoint]) => endpoint.endsWith('/values'))
    .reduce((sum, [, { requests: count }]) => sum + count, 0);

async function sync(): Promise<void> {
  await attio.agedRows();
  await attio.sync();
}

/** A reference as Attio takes it. */
const to = (target_object: string, id: string | undefined) => {
  return { target_object, target_record_id: id ?? '' };
};

/** Milliseconds of an instant so many minutes ago. */
const ago = (minutes: number) => Date.now() - minutes * 60_000;

test('every value that stood is told: since when, from whom, what before, and which was emptied', async () => {
  const { store } = attio.emulator;
  const company = store.create('companies', { name: 'Acme' }, { at: ago(70) });
  const given = {
    job_title: 'Pilot',
    email_addresses: ['a@x.example'],
    company: to('companies', company),
  };
  const id = store.create('people', given, { at: ago(60) });
  await sync();
  const created = [
    `create add company null -> "${company}"`,
    'create add email_addresses null -> ["a@x.example"]',
    'create add job_title null -> "Pilot"',
  ];
  expect(await told('people', id)).toEqual(created);
  store.update('people', id, { job_title: 'Baker' }, { at: ago(50) });
  const both = ['a@x.example', 'b@x.example'];
  store.update('people', id, { email_addresses: both }, { at: ago(40) });
  store.update('people', id, { job_title: [], company: [] }, { at: ago(30) });
  store.update('people', id, { description: 'Left' }, { at: ago(20), by: 'system' });
  await sync();
  const all = [
    ...created,
    'update update job_title "Pilot" -> "Baker"',
    'update update email_addresses ["a@x.example"] -> ["a@x.example", "b@x.example"]',
    `update delete company "${company}" -> null`,
    'update delete job_title "Baker" -> null',
    'update add description null -> "Left"',
  ];
  expect(await told('people', id)).toEqual(all);
  const [feed] = await attio.sql(
    `SELECT is_whole, read_version = wanted AS current FROM attio_sync.activity_feed WHERE record_id = $1`,
    [id],
  );
  expect(feed).toEqual({ is_whole: true, current: true });
  // Attio itself has no id.
  const [by] = await attio.sql(
    `SELECT array_agg(DISTINCT field) AS fields FROM attio.people_activity
      WHERE record_id = $1 AND kind = 'update' AND op <> 'delete' AND actor IS NULL`,
    [id],
  );
  expect(by).toEqual({ fields: ['description'] });
  // Read once more, it stands once.
  await attio.sql('UPDATE attio_sync.activity_feed SET next_attempt_at = now()');
  await sync();
  expect(await told('people', id)).toEqual(all);
});

test('links and currencies are told as their fields, and no value of the creation is asked for', async () => {
  const { store } = attio.emulator;
  const [ada, eve] = ['ada@x.example', 'eve@x.example'].map((address) =>
    store.create('people', { email_addresses: [address] }, { at: ago(70) }),
  );
  const before = requests();
  const id = store.create(
    'projects',
    { name: 'Bridge', budget: 10, members: [to('people', ada)] },
    { at: ago(60) },
  );
  store.update(
    'projects',
    id,
    { members: [to('people', ada), to('people', eve)] },
    { at: ago(50) },
  );
  store.update('projects', id, { budget: 20 }, { at: ago(40) });
  await sync();
  const rows = await told('projects', id);
  expect(rows).toContain('create add name null -> "Bridge"');
  expect(rows).toContain('create add budget null -> 10');
  expect(rows).toContain('create add budget__currency null -> "EUR"');
  expect(rows).toContain(`create add members null -> ["${ada}"]`);
  expect(rows).toContain('update update budget 10 -> 20');
  expect(rows.filter((said) => String(said).startsWith('update update members'))).toHaveLength(1);
  expect(requests() - before).toBeLessThan(40);
});
