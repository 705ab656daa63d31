import { expect, test } from 'vitest';
import type { Switches } from '../../src/emulator/kizen/switches.ts';
import { type KizenWorkspace, nothingLeft, openKizen } from '../support/kizen-workspace.ts';

// Whatever no source settles about Kizen, both sides come to agree: every open point on its own, in
// each of its readings, through a whole story of edits on both sides.

const SIZES = { companies: 45, client_client: 60, deals: 30, projects: 12 };
async function local({ sql }: KizenWorkspace): Promise<void> {
  await sql(
    `UPDATE kizen.deals SET entity_value = 99.25, stage = 'Qualified', decision_at = '2026-05-01T10:00:00.123Z'
      WHERE id IN (SELECT id FROM kizen.deals ORDER BY id LIMIT 3)`,
  );
  await sql('BEGIN');
  await sql(
    `INSERT INTO kizen.companies (name, industry, satisfaction) VALUES ('Born here', 'Health', 4)`,
  );
  await sql(
    `INSERT INTO kizen.client_client (email, company) SELECT 'new@here.example', id
       FROM kizen.companies WHERE name = 'Born here'`,
  );
  await sql(`INSERT INTO kizen.client_client (first_name) VALUES ('Nobody')`);
  await sql(
    `INSERT INTO kizen.deals (name, stage, company) SELECT 'Made here', 'Won', id
       FROM kizen.companies WHERE name = 'Born here'`,
  );
  await sql('COMMIT');
  await sql(
    `INSERT INTO kizen.client_client_deals (client_client_id, deals_id)
     SELECT c.id, d.id FROM kizen.client_client AS c, kizen.deals AS d
      WHERE c.email = 'new@here.example' AND d.name <> 'Made here' ORDER BY d.id LIMIT 2`,
  );
  await sql(
    `UPDATE kizen.companies SET parent_company = (SELECT max(id) FROM kizen.companies WHERE name <> 'Born here'),
            labels = '{vip,new here}', website = NULL, phone = NULL, customer = true, founded = NULL
      WHERE id = (SELECT min(id) FROM kizen.companies)`,
  );
  await sql(
    `UPDATE kizen.projects SET region = '{North}', priority = 7, hours = 1.5, approved = 'No', code = NULL,
            summary = NULL WHERE id = (SELECT min(id) FROM kizen.projects)`,
  );
  await sql(
    `DELETE FROM kizen.projects WHERE id IN (SELECT id FROM kizen.projects ORDER BY id DESC LIMIT 2)`,
  );
}

function remote({ emulator: { store } }: KizenWorkspace): void {
  const [, second, third] = store.ids('companies');
  const deals = store.ids('deals');
  store.update('companies', second ?? '', {
    name: 'Renamed there',
    partners: [third ?? ''],
  });
  store.bulkUpdate('deals', deals.slice(5, 15), { discount: 3.5 });
  store.update('deals', deals[16] ?? '', { stage: 'Lost', contacts: [] });
  store.archive('companies', third ?? '');
  store.create('client_client', { first_name: 'There', email: 'there@there.example' });
}

/** Until nothing is left, as a daemon would: what is late shows in time. */
async function settle(workspace: KizenWorkspace): Promise<void> {
  for (let pass = 1; ; pass += 1) {
    await workspace.ageRows();
    const { left, objects } = await workspace.sync();
    const isDone = Object.values(left).every((count) => count === 0);
    const isWhole = objects.every(({ state }) => state === 'ok');
    const found = isDone && isWhole ? await workspace.differences() : ['unsettled'];
    if (found.length === 0) return;
    if (pass >= 8) {
      const parked = await workspace.sql(
        `SELECT object, op, changes, last_error FROM kizen_sync.outbox WHERE state = 'parked'`,
      );
      const unproven = objects.filter(({ state }) => state !== 'ok');
      expect({ found, left, parked, unproven }).toEqual({});
    }
  }
}

const readings: readonly (readonly [string, Partial<Switches>])[] = [
  ['as it is', {}],
  ['pages cut down', { pageMax: 20 }],
  ['pages cut down to few', { pageMax: 12, ordering: 'ignored' }],
  ['page sizes refused', { pageMax: 100, pageOver: 'refuse' }],
  ['nothing past the end', { pageMax: 20, pastEnd: 'empty' }],
  ['order ignored, newest first', { pageMax: 20, ordering: 'ignored', unordered: 'newest' }],
  ['no order at all', { pageMax: 40, ordering: 'ignored', unordered: 'shuffled' }],
  ['parts of pages', { pageMax: 20, partialShare: 0.25 }],
  ['days of UTC', { timeFilters: 'days' }],
  ['days of the business', { timeFilters: 'business days' }],
  ['seconds', { timeFilters: 'seconds' }],
  [
    'nothing bumps',
    { relationBumps: 'none', moveBumps: false, unarchiveBumps: false, equalBumps: false },
  ],
  ['the written end bumps', { relationBumps: 'written' }],
  ['late', { visibilityDelayMs: 1_500, archiveDelayMs: 1_500, lateShare: 0.5 }],
  ['names are free', { names: 'free', archivedNames: 'free' }],
  ['names are one in any case', { names: 'unique in any case' }],
  ['bare ids', { relationWrites: 'bare id' }],
  ['texts of numbers, wrapped', { numbers: 'strings', scalars: 'mixed', ratings: 'number' }],
  ['decimals as texts', { numbers: 'decimal strings', scalars: 'wrapped' }],
  ['thin rows, whole answers', { rows: 'thin', writeAnswers: 'everything', addStatus: '200' }],
  ['cleared by null alone', { clearing: 'null' }],
  ['cleared by an empty text alone', { clearing: 'empty' }],
  ['archived ones shown', { archivedTargets: 'shown' }],
  ['lists of choices', { choices: 'many', errorItems: 'objects' }],
  ['relations counted', { summaryAbove: 1 }],
  ['locked records', { lockMs: 40, archivedWrites: '404' }],
  ['few requests a second, until a date', { requestsPerSecond: 15, retryAfter: 'date' }],
  [
    'few requests a second, who knows until when',
    { requestsPerSecond: 15, retryAfter: 'absent', limitForm: 'html' },
  ],
];

// Most of the time they wait for their turn, a few requests a second.
test.concurrent.each(readings)(
  'both sides agree: %s',
  { timeout: 240_000 },
  async (_name, switches) => {
    const workspace = await openKizen({ sizes: SIZES, switches });
    try {
      expect((await workspace.sync()).left).toEqual(nothingLeft);
      await settle(workspace);
      await local(workspace);
      remote(workspace);
      await settle(workspace);
      const { store } = workspace.emulator;
      expect(store.count('companies')).toBe(SIZES.companies);
      expect(store.count('client_client')).toBe(SIZES.client_client + 3);
      expect(store.count('deals')).toBe(SIZES.deals + 1);
      expect(store.count('projects')).toBe(SIZES.projects - 2);
      expect(workspace.emulator.mails()).toBe(0);
      const [made] = await workspace.sql(`SELECT stage FROM kizen.deals WHERE name = 'Made here'`);
      expect(made).toEqual({ stage: 'Won' });
    } finally {
      await workspace.stop();
    }
  },
);

test.concurrent('a relation of many at both ends is read whole, however short its pages', async () => {
  const switches = { summaryAbove: 1, listPage: 3 };
  const workspace = await openKizen({ sizes: SIZES, switches });
  try {
    const { store } = workspace.emulator;
    const contacts = store.ids('client_client').slice(0, 5);
    for (const deal of store.ids('deals').slice(0, 5)) store.update('deals', deal, { contacts });
    await settle(workspace);
    const [{ links } = {}] = await workspace.sql(
      'SELECT count(*)::int AS links FROM kizen.client_client_deals WHERE deals_id = ANY($1)',
      [store.ids('deals').slice(0, 5)],
    );
    expect(links).toBe(25);
  } finally {
    await workspace.stop();
  }
});
