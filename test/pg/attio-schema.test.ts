import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../src/app/log.ts';
import { planWorkspaceModule } from '../../src/app/workspace-schema.ts';
import { nothingLeft, openSyncedAttio, type SyncedAttio } from '../support/attio-session.ts';

// Attributes come, go and change in Attio while rows stand.

let attio: SyncedAttio;
let ids: readonly string[];

beforeAll(async () => {
  attio = await openSyncedAttio({ sizes: { companies: 3, people: 4, deals: 2, projects: 4 } });
  await attio.sync();
  ids = attio.emulator.store.ids('projects');
});
afterAll(() => attio.stop());

beforeEach(() => {
  attio.emulator.switches.archivedValues = 'absent';
});

const store = () => attio.emulator.store;
const refresh = async () => {
  const { problems } = await attio.session.refreshSchema(attio.signal);
  expect(problems).toEqual([]);
};
const sync = async () => expect((await attio.sync()).left).toEqual(nothingLeft);
const column = async (name: string, id = ids[0]) =>
  (await attio.sql(`SELECT "${name}" AS value FROM attio.projects WHERE id = $1`, [id]))[0]?.[
    'value'
  ];
const types = async () =>
  Object.fromEntries(
    (
      await attio.sql(
        `SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
          WHERE attrelid = 'attio.projects'::regclass AND attnum > 0 AND NOT attisdropped`,
      )
    ).map(({ name, type }) => [String(name), type]),
  );

test.each<[string, object, unknown, string, unknown]>([
  ['grade', { type: 'rating' }, 4, 'smallint', 4],
  ['cost', { type: 'currency', currency: 'EUR' }, 12.5, 'numeric(20,4)', '12.5000'],
  ['share', { type: 'number' }, 0.000012, 'double precision', 0.000012],
  [
    'labels',
    { type: 'select', multi: true, options: ['A', 'B'] },
    ['B', 'A'],
    'text[]',
    ['B', 'A'],
  ],
  ['phase', { type: 'status', options: ['Plan', 'Do'] }, 'Do', 'text', 'Do'],
  [
    'seen',
    { type: 'timestamp' },
    '2026-01-02T03:04:05.678901Z',
    'timestamp with time zone',
    expect.anything(),
  ],
  ['sponsor', { type: 'record-reference', to: ['people'] }, null, 'text', null],
])(
  'a new attribute, %s: its values wait for their column, and come into it',
  async (slug, sketch, value, type, shown) => {
    store().addAttribute('projects', { slug, ...sketch } as Parameters<
      ReturnType<typeof store>['addAttribute']
    >[1]);
    if (value !== null) store().update('projects', ids[0] ?? '', { [slug]: value as never });
    // The schema is looked at less often than the records.
    await sync();
    const [extra] = await attio.sql(
      `SELECT _extra ? $2 AS kept FROM attio.projects WHERE id = $1`,
      [ids[0], slug],
    );
    expect(extra?.['kept'] ?? null).toBe(value === null ? null : true);
    await refresh();
    await sync();
    expect((await types())[slug]).toBe(type);
    expect(await column(slug)).toEqual(shown);
    if (slug === 'cost') expect(await column('cost__currency')).toBe('EUR');
    const [left] = await attio.sql('SELECT _extra FROM attio.projects WHERE id = $1', [ids[0]]);
    expect(left?.['_extra']).toBeNull();
    // And the other way.
    if (slug === 'grade') {
      await attio.sql('UPDATE attio.projects SET grade = 1 WHERE id = $1', [ids[0]]);
      await sync();
      expect(attio.values('projects', ids[0])['grade']).toMatchObject([{ value: 1 }]);
    }
  },
);

test.each(['absent', 'present'] as const)(
  'an archived attribute keeps its column and data, and takes no writes (values %s)',
  async (archivedValues) => {
    attio.emulator.switches.archivedValues = archivedValues;
    const before = await column('name');
    store().archiveAttribute('projects', 'urgency', true);
    await refresh();
    await sync();
    expect(await column('name')).toBe(before);
    await expect(attio.sql(`UPDATE attio.projects SET urgency = 'High'`)).rejects.toMatchObject({
      code: 'CS006',
    });
    const [kept] = await attio.sql(
      'SELECT count(urgency)::int AS held, count(_extra)::int AS extra FROM attio.projects',
    );
    expect(kept?.['extra']).toBe(0);
    store().archiveAttribute('projects', 'urgency', false);
    store().update('projects', ids[0] ?? '', { urgency: 'Low' });
    await refresh();
    await sync();
    expect(await column('urgency')).toBe('Low');
    expect(Object.keys(await types()).filter((name) => name.startsWith('urgency'))).toEqual([
      'urgency',
    ]);
  },
);

test('one that gets another slug gets another column, filled; the old one stays', async () => {
  store().update('projects', ids[0] ?? '', { hours: 7.25 });
  await sync();
  store().changeAttribute('projects', 'hours', { slug: 'effort' });
  await refresh();
  await sync();
  expect(await column('effort')).toBe(7.25);
  expect(await column('hours')).toBe(7.25);
  await expect(attio.sql('UPDATE attio.projects SET hours = 1')).rejects.toMatchObject({
    code: 'CS006',
  });
  await attio.sql('UPDATE attio.projects SET effort = 8 WHERE id = $1', [ids[0]]);
  await sync();
  expect(attio.values('projects', ids[0])['effort']).toMatchObject([{ value: 8 }]);
});

test('one that takes several from now on makes way for a column of lists', async () => {
  store().update('projects', ids[0] ?? '', { urgency: 'High' });
  await sync();
  store().changeAttribute('projects', 'urgency', { multi: true });
  await refresh();
  await sync();
  expect(await column('urgency')).toEqual(['High']);
  expect(await column('urgency__was_1')).toBe('High');
  await attio.sql(`UPDATE attio.projects SET urgency = '{Low,High}' WHERE id = $1`, [ids[0]]);
  await sync();
  const held = attio.values('projects', ids[0])['urgency'] ?? [];
  expect(held.map(({ option }) => (option as { title?: string }).title)).toEqual(['Low', 'High']);
});

test('options and statuses that are renamed or archived show as they are called now', async () => {
  const [deal] = store().ids('deals');
  store().update('deals', deal ?? '', { stage: 'Lead' });
  await sync();
  store().setOption('deals', 'stage', 'Lead', { title: 'New' });
  store().setOption('deals', 'stage', 'Lost', { archived: true });
  await attio.agedRows();
  await sync();
  expect((await attio.sql('SELECT stage FROM attio.deals WHERE id = $1', [deal]))[0]).toEqual({
    stage: 'New',
  });
  await attio.sql(`UPDATE attio.deals SET stage = 'In Progress' WHERE id = $1`, [deal]);
  await sync();
  // What there is not is refused with Attio's words, and harms nothing else.
  await attio.sql(`UPDATE attio.deals SET stage = 'Nonsense' WHERE id = $1`, [deal]);
  expect((await attio.sync()).left).toEqual({ ...nothingLeft, parked: 1 });
  await attio.sql(`UPDATE attio.deals SET stage = 'New' WHERE id = $1`, [deal]);
  await sync();
});

test('titles are labels of columns', async () => {
  store().changeAttribute('projects', 'name', { title: 'Project title' });
  await refresh();
  const [label] = await attio.sql(
    `SELECT col_description('attio.projects'::regclass, attnum) AS label FROM pg_attribute
      WHERE attrelid = 'attio.projects'::regclass AND attname = 'name'`,
  );
  expect(label).toEqual({ label: 'Project title' });
});

test('schema --drizzle says what stands, and what may not be written', async () => {
  const log = createLog({ level: 'silent' });
  const schemas = await attio.session.remote.discover({ priority: 'pull', signal: attio.signal });
  const { module, problems } = await planWorkspaceModule(
    attio.config,
    { log, signal: attio.signal },
    { schemas },
  );
  expect(problems).toEqual([]);
  expect(module).toContain('export const attio = pg.pgSchema("attio")');
  expect(module).toContain('"priority": pg.smallint("priority")');
  expect(module).toMatch(/\/\*\* .*read-only \*\/\n {2}"avatar_url": pg\.text/);
  expect(module).toContain('"value": pg.numeric("value", { precision: 20, scale: 4 })');
  expect(module).toMatch(/export const deals_associated_people = attio\.table\(/);
});

test('numbers are told apart by every digit that they have', async () => {
  store().addAttribute('projects', { slug: 'ratio', type: 'number' });
  await refresh();
  for (const value of [0.00001, 0.00002, 1e-9, 12345678.123456789, 0]) {
    await attio.sql('UPDATE attio.projects SET ratio = $2 WHERE id = $1', [ids[1], value]);
    await sync();
    expect(attio.values('projects', ids[1])['ratio']).toMatchObject([{ value }]);
  }
  store().update('projects', ids[1] ?? '', { ratio: 0.00003 });
  await attio.agedRows();
  await sync();
  expect(await column('ratio', ids[1])).toBe(0.00003);
});
