import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningDaemon, startDaemon } from '../support/daemon.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

/** What page and metrics tell of what stands beside the records. */

let workspace: TestWorkspace;
let daemon: RunningDaemon;

beforeAll(async () => {
  workspace = await openWorkspace({
    emulator: { sizes: { person: 4, company: 3, deal: 2, task: 0, meeting: 0 } },
    config: {
      http: { host: '127.0.0.1', port: 0, token: null, nudgeSecret: null },
      objects: {
        company: { attachments: null, fields: {}, history: false, delete: 'push' },
        deal: { activities: true, comments: null, fields: {}, history: false, delete: 'push' },
      },
      tables: { settings: true, lists: true, campaigns: [], everyMs: 3_600_000 },
    },
    prepareEmulator: ({ faults }) => {
      faults.add({ kind: 'status', status: 403, path: '/settings' });
    },
  });
  daemon = await startDaemon(workspace);
});
afterAll(async () => {
  await daemon?.stop();
  await workspace?.stop();
});

const get = async (path: string) => await (await fetch(`${daemon.statusUrl}${path}`)).text();
const metrics = () => get('/metrics');
const units = (table: string, state: string, object = '') =>
  new RegExp(
    `^clarify_sync_beside_units\\{table="${table}",object="${object}",state="${state}"\\} 0$`,
    'm',
  );

test('their metrics tell what waits, what failed, and how old it is', {
  timeout: 150_000,
}, async () => {
  const expected = [
    /^clarify_sync_beside_age_seconds\{table="list_member"\} [\d.]+$/m,
    units('activity', 'waiting', 'deal'),
    units('attachment', 'waiting', 'company'),
    units('list', 'failed'),
    /^clarify_sync_trouble\{object="setting",part="settings",code="remote-forbidden"\} 1$/m,
  ];
  for (const line of expected) await expect.poll(metrics, { timeout: 60_000 }).toMatch(line);
  const text = await metrics();
  expect(text).not.toContain('clarify_sync_beside_age_seconds{table="setting"}');
  expect(text).not.toContain('clarify_sync_beside_age_seconds{table="attachment"}');
  expect(text).not.toContain('clarify_sync_comments_unsent{');
});

test('the page tells it too, and a comment that was refused waits for somebody', {
  timeout: 150_000,
}, async () => {
  const { sql, emulator } = workspace;
  await expect
    .poll(() => get('/'), { timeout: 30_000 })
    .toMatch(/<strong>list_member<\/strong> \d+ of \d+ read, <time/);
  const page = await get('/');
  expect(page).toContain('<strong>attachment of company</strong> 3 of 3 read</li>');
  expect(page).toMatch(/<strong>setting<\/strong> 0 of 1 read.*remote-forbidden/);
  expect(page).toContain('Stopped, and tried again: settings');
  expect(page).not.toContain('comment refused');
  emulator.faults.add({ kind: 'status', status: 422, method: 'POST', path: '/comments' });
  await expect
    .poll(() => sql(`SELECT to_regclass('clarify.comment') IS NOT NULL AS there`), {
      timeout: 90_000,
    })
    .toEqual([{ there: true }]);
  const [deal] = emulator.store.ids('deal');
  await sql(`INSERT INTO clarify.comment (object, record_id, text) VALUES ('deal', $1, 'No')`, [
    deal,
  ]);
  await expect
    .poll(metrics, { timeout: 30_000 })
    .toContain('clarify_sync_comments_unsent{object="deal",state="parked"} 1');
  await expect.poll(() => get('/'), { timeout: 30_000 }).toContain('1 comment refused');
  expect(await get('/')).toContain('<strong>deal</strong> <span class="warn">1 comment</span>');
});

test('a table that is read no more waits for nobody', async () => {
  await workspace.sql(
    `INSERT INTO clarify_sync.side_reading (part, object, key) VALUES ('campaign_recipient', '', 'switched off')`,
  );
  await expect.poll(metrics).toContain('beside_units{table="list"');
  expect(await metrics()).not.toContain('campaign_recipient');
});
