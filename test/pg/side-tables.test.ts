import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { readStatus } from '../../src/app/status.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { forgetRecord } from '../../src/db/forget.ts';
import { pruneStep } from '../../src/db/service/retention.ts';
import { ensureSideTable } from '../../src/db/side/ensure.ts';
import { SIDE_TABLES } from '../../src/db/side/tables.ts';
import { SAMPLE_CAMPAIGN } from '../../src/emulator/clarify/sample-data/fill-extras.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

const COMPANIES = 12;
let workspace: TestWorkspace;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 30, company: COMPANIES, deal: 40, task: 0, meeting: 0 } },
    config: {
      objects: { company: { attachments: null, fields: {}, history: false, delete: 'push' } },
      tables: { settings: true, lists: true, campaigns: [SAMPLE_CAMPAIGN], everyMs: 3_600_000 },
    },
  });
  await syncOnce(workspace.session, { signal: workspace.signal });
});
afterEach(() => workspace.emulator.faults.clear());
afterAll(() => workspace.stop());

const sql: TestWorkspace['sql'] = (text, values) => workspace.sql(text, values);
const requests = (endpoint: string) =>
  workspace.emulator.stats().endpoints[endpoint]?.requests ?? 0;
const ATTACHMENTS = 'GET /objects/company/records/{id}/attachments';

async function makeDue(): Promise<void> {
  await workspace.session.db.query(
    `UPDATE clarify_sync.side_reading SET due_at = clock_timestamp() WHERE part <> 'attachment'`,
  );
}

async function pass(session = workspace.session): Promise<void> {
  await createSidePass(session)({ signal: workspace.signal, priority: 'backfill' });
}

test('each table is filled by a sync', async () => {
  const { store, extras } = workspace.emulator;
  expect(await sql('SELECT key, value FROM clarify.setting ORDER BY key')).toEqual([
    { key: 'closedLostDealStage', value: 'Lost' },
    { key: 'closedWonDealStage', value: 'Won' },
    { key: 'fiscalYearOffset', value: '0' },
  ]);
  expect(await sql('SELECT title, object, type FROM clarify.list ORDER BY title')).toEqual([
    { title: 'In negotiation', object: 'deal', type: 'dynamic' },
    { title: 'Key accounts', object: 'company', type: 'static' },
  ]);
  const members = await sql(
    `SELECT m.record_id AS id FROM clarify.list_member AS m JOIN clarify.list AS l ON l.id = m.list_id
      WHERE l.title = 'In negotiation' AND m.object = 'deal' ORDER BY 1`,
  );
  const inStage = store.all('deal').filter(({ attributes }) => attributes.stage === 'Negotiation');
  expect(members.map(({ id }) => id)).toEqual(inStage.map(({ id }) => id).toSorted());
  expect(members.length).toBeGreaterThan(0);
  expect(
    await sql(
      `SELECT count(*)::int AS all, count(*) FILTER (WHERE opened)::int AS opened,
              count(*) FILTER (WHERE clicked)::int AS clicked, count(*) FILTER (WHERE replied)::int AS replied
         FROM clarify.campaign_recipient AS r JOIN clarify.person AS p ON p.id = r.person_id
        WHERE campaign_id = $1`,
      [SAMPLE_CAMPAIGN],
    ),
  ).toEqual([{ all: 20, opened: 10, clicked: 5, replied: 3 }]);
  expect(extras.campaigns.get(SAMPLE_CAMPAIGN)).toHaveLength(20);
  const files = await sql(
    `SELECT c.id, a.name, a.source, a.mime_type, a.size_bytes::text AS size FROM clarify.attachment AS a
       JOIN clarify.company AS c ON c.id = a.record_id WHERE a.object = 'company'`,
  );
  expect(files).toHaveLength(3);
  expect(files[0]).toMatchObject({
    name: 'Brief.pdf',
    source: 'upload',
    mime_type: 'application/pdf',
    size: '48213',
  });
});

test('attachments wait until their object was read for the first time', async () => {
  const other = await openWorkspace({
    emulator: { sizes: { person: 0, company: 5, deal: 0, task: 0, meeting: 0 } },
    config: { objects: workspace.session.config.objects },
  });
  try {
    const asked = () => other.emulator.stats().endpoints[ATTACHMENTS]?.requests ?? 0;
    const { session, signal } = other;
    const beside = createSidePass(session);
    await pullAll(session, { signal, priority: 'pull' });
    const phase = (name: string) =>
      session.db.query(`UPDATE clarify_sync.cursor SET phase = $1 WHERE object = 'company'`, [
        name,
      ]);
    await phase('backfill');
    await beside({ signal, priority: 'backfill' });
    expect(asked()).toBe(0);
    await phase('incremental');
    await beside({ signal, priority: 'backfill' });
    expect(asked()).toBe(5);
  } finally {
    await other.stop();
  }
});

test('what each costs: nothing is read again before it is due, or its record changes', async () => {
  const { session, signal, emulator } = workspace;
  const before = emulator.stats().requests;
  await pass();
  await pass(await workspace.reopen());
  // Another session discovers the schema, and asks nothing more.
  expect(requests(ATTACHMENTS)).toBe(COMPANIES);
  expect(requests('GET /settings/{key}')).toBe(3);
  expect(requests('GET /lists')).toBe(2);
  expect(emulator.stats().requests).toBeGreaterThanOrEqual(before);
  const [id = ''] = emulator.store.ids('company').slice(1);
  emulator.extras.attachments.set(id, [
    { id: 'a-1', fields: { name: 'Offer.docx', size_bytes: 10 } },
    { id: 'a-2', fields: { name: null, size_bytes: null, source: '' } },
  ]);
  emulator.store.update('company', id, { name: 'With an offer' });
  await pullAll(session, { signal, priority: 'pull' });
  await pass();
  expect(requests(ATTACHMENTS)).toBe(COMPANIES + 1);
  const files = await sql(
    'SELECT id, name, source, size_bytes::int AS size FROM clarify.attachment WHERE record_id = $1 ORDER BY id',
    [id],
  );
  expect(files).toEqual([
    { id: 'a-1', name: 'Offer.docx', source: null, size: 10 },
    { id: 'a-2', name: null, source: null, size: null },
  ]);
});

test('what changed is written, what vanished goes, what is equal is not touched', async () => {
  const { emulator } = workspace;
  const stamps = () =>
    sql('SELECT record_id, list_id, _synced_at FROM clarify.list_member ORDER BY 1, 2');
  const versions = async () =>
    await sql('SELECT id, xmin::text AS version FROM clarify.campaign_recipient ORDER BY id');
  const [before, rows] = [await stamps(), await versions()];
  const [moved] = emulator.store.all('deal').filter(({ attributes }) => {
    return attributes.stage === 'Negotiation';
  });
  emulator.store.update('deal', moved?.id ?? '', { stage: 'Won' });
  emulator.extras.settings.closedWonDealStage = 'Closed won';
  delete emulator.extras.settings.fiscalYearOffset;
  const [key] = emulator.extras.lists.splice(0, 1);
  const recipients = emulator.extras.campaigns.get(SAMPLE_CAMPAIGN) ?? [];
  const [last] = recipients.slice(-1);
  emulator.extras.campaigns.set(SAMPLE_CAMPAIGN, [
    ...recipients.slice(0, -1),
    { id: last?.id ?? '', fields: { ...last?.fields, opened: '2026-08-01T10:00:00.000Z' } },
  ]);
  await makeDue();
  await pass();
  const after = await stamps();
  expect(after).toEqual(
    before.filter(
      ({ record_id, list_id }) => record_id !== moved?.id && list_id !== (key?.id ?? ''),
    ),
  );
  expect(after.length).toBeLessThan(before.length - 1);
  expect(await sql('SELECT title FROM clarify.list')).toEqual([{ title: 'In negotiation' }]);
  expect(await sql('SELECT key, value FROM clarify.setting ORDER BY key')).toEqual([
    { key: 'closedLostDealStage', value: 'Lost' },
    { key: 'closedWonDealStage', value: 'Closed won' },
  ]);
  const now = await versions();
  expect(now.filter(({ version }, at) => version !== rows[at]?.version)).toMatchObject([
    { id: last?.id },
  ]);
  expect(
    await sql('SELECT opened FROM clarify.campaign_recipient WHERE id = $1', [last?.id]),
  ).toEqual([{ opened: true }]);
});

test('status tells how far each is', async () => {
  const { sides } = await readStatus(workspace.session.db);
  const lists = (await sql('SELECT FROM clarify.list')).length;
  const whole = (part: string, units: number, object: string | null = null) => ({
    part,
    object,
    units,
    read: units,
    due: 0,
    failed: 0,
    oldestReadAt: expect.any(String),
    error: null,
    nextAttemptAt: null,
  });
  expect(sides).toEqual([
    whole('attachment', COMPANIES, 'company'),
    whole('campaign_recipient', 1),
    whole('list', 1),
    whole('list_member', lists),
    whole('setting', 1),
  ]);
});

test('every query of the page answers', async () => {
  await ensureSideTable(workspace.session.db, SIDE_TABLES.comment);
  const queries = fenced(readPage('side-tables.md'), 'sql').flatMap((text) =>
    text.split(/;\s*\n\n/),
  );
  expect(queries.length).toBeGreaterThan(4);
  for (const query of queries) {
    const rows = await sql(query);
    if (!query.includes('clarify.comment')) expect(rows.length).toBeGreaterThan(0);
  }
});

test('they are read-only here', async () => {
  for (const text of [
    `INSERT INTO clarify.setting (key, fields) VALUES ('k', '{}')`,
    `UPDATE clarify.list SET fields = '{}'`,
    'DELETE FROM clarify.list_member',
    'TRUNCATE clarify.attachment',
  ]) {
    await expect(sql(text)).rejects.toThrow(/clarify-sync:/);
  }
});

test.each([
  [403, 'remote-forbidden'],
  [404, 'remote-not-found'],
  [500, 'remote-unavailable'],
])('an answer of %i is let alone, named, and takes nothing away', async (status, code) => {
  const { emulator } = workspace;
  const session = await workspace.reopen();
  const rows = () =>
    sql(`SELECT (SELECT count(*) FROM clarify.setting) AS settings,
                (SELECT count(*) FROM clarify.list_member) AS members,
                (SELECT count(*) FROM clarify.campaign_recipient) AS recipients`);
  const before = await rows();
  emulator.faults.add({ kind: 'status', status, path: '/settings/|/lists|/campaigns/' });
  await makeDue();
  await pass(session);
  expect(await rows()).toEqual(before);
  const troubles = await sql(
    `SELECT object, part, code FROM clarify_sync.trouble WHERE part IN ('settings', 'lists', 'campaigns') ORDER BY part`,
  );
  expect(troubles).toEqual([
    { object: 'campaign_recipient', part: 'campaigns', code },
    { object: 'list', part: 'lists', code },
    { object: 'setting', part: 'settings', code },
  ]);
  const readings = await sql(
    `SELECT part, error, due_at > now() AS waits FROM clarify_sync.side_reading
      WHERE part IN ('setting', 'campaign_recipient') ORDER BY part`,
  );
  expect(readings).toEqual([
    { part: 'campaign_recipient', error: code, waits: true },
    { part: 'setting', error: code, waits: true },
  ]);
  emulator.faults.clear();
  await makeDue();
  await pass(await workspace.reopen());
  expect(
    await sql(`SELECT FROM clarify_sync.trouble WHERE part IN ('settings', 'lists', 'campaigns')`),
  ).toEqual([]);
  expect(await sql('SELECT FROM clarify_sync.side_reading WHERE error IS NOT NULL')).toEqual([]);
});

test('one record whose attachments cannot be had harms only itself', async () => {
  const { session, signal, emulator } = workspace;
  const [broken = '', fine = ''] = emulator.store.ids('company').slice(6);
  emulator.faults.add({ kind: 'status', status: 500, path: `${broken}/attachments` });
  for (const id of [broken, fine]) {
    emulator.extras.attachments.set(id, [{ id: `of-${id}`, fields: { name: 'New.txt' } }]);
    emulator.store.update('company', id, { name: `${id} again` });
  }
  await pullAll(session, { signal, priority: 'pull' });
  await pass();
  const named = async () =>
    (await sql(`SELECT record_id FROM clarify.attachment WHERE name = 'New.txt'`)).map(
      ({ record_id: id }) => id,
    );
  expect(await named()).toEqual([fine]);
  expect(
    await sql(
      `SELECT key, error, attempts FROM clarify_sync.side_reading WHERE part = 'attachment' AND error IS NOT NULL`,
    ),
  ).toEqual([{ key: broken, error: 'remote-unavailable', attempts: 1 }]);
  emulator.faults.clear();
  await session.db.query('UPDATE clarify_sync.side_reading SET due_at = now() WHERE key = $1', [
    broken,
  ]);
  await pass();
  expect(new Set(await named())).toEqual(new Set([broken, fine]));
});

test('forgetting a record takes what is beside it, also of a table that is read no more', async () => {
  const { session, emulator } = workspace;
  const [person = ''] = await sql('SELECT person_id FROM clarify.campaign_recipient LIMIT 1').then(
    (rows) => rows.map((row) => String(row['person_id'])),
  );
  emulator.store.delete('person', [person]);
  await pullAll(session, { signal: workspace.signal, priority: 'pull' });
  const forget = (dry: boolean) => forgetRecord(session.db, { object: 'person', id: person, dry });
  expect(await forget(true)).toMatchObject({ sides: 1 });
  expect(await forget(false)).toMatchObject({ sides: 1 });
  expect(
    await sql('SELECT FROM clarify.campaign_recipient WHERE person_id = $1', [person]),
  ).toEqual([]);
});

test('attachments go with their record', async () => {
  const { session, signal, emulator } = workspace;
  const [row] = await sql('SELECT record_id FROM clarify.attachment');
  const id = String(row?.['record_id']);
  emulator.store.delete('company', [id]);
  await syncOnce(session, { signal });
  expect(await sql('SELECT FROM clarify.attachment WHERE record_id = $1', [id])).toEqual([]);
  expect(await sql('SELECT FROM clarify_sync.side_reading WHERE key = $1', [id])).toEqual([]);
});

test('an object of the same name finds another, and so does a table that comes second', async () => {
  const { session, signal, emulator } = workspace;
  emulator.store.addObject({
    object: 'list',
    singular: 'List',
    plural: 'Lists',
    fields: [{ name: 'title', form: { kind: 'text' } }],
  });
  await session.refreshSchema(signal);
  const table = session.tables.find(({ object }) => object === 'list');
  expect(table?.name).toMatch(/^list_[0-9a-f]{8}$/);
  expect(await sql('SELECT title FROM clarify.list')).toHaveLength(1);
});

test('pages of what is read no more do not stay', async () => {
  const { session } = workspace;
  const put = (part: string, object: string, key: string, age = '0') =>
    session.db.query(
      `INSERT INTO clarify_sync.side_page (part, object, key, page, items, total, read_at)
       VALUES ($1, $2, $3, 0, '[]', 900, clock_timestamp() - $4::interval)`,
      [part, object, key, age],
    );
  await put('campaign_recipient', '', 'removed');
  await put('list_member', 'deal', 'removed');
  await put('attachment', 'company', 'gone');
  await pass();
  const left = () => sql('SELECT part, key FROM clarify_sync.side_page ORDER BY key');
  expect(await left()).toEqual([]);
  // Of a table that was switched off.
  await put('comment', 'deal', 'old', '25 hours');
  await put('comment', 'deal', 'new');
  await pruneStep(session.db, { outboxMs: null, conflictsMs: null, tombstonesMs: null });
  expect(await left()).toEqual([{ part: 'comment', key: 'new' }]);
});
