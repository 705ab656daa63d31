import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/app/config/config.ts';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type OutsideWorkspace, startOutsideWorkspace } from '../support/outside-workspace.ts';

// Each table, filled from a server that shares no line with client or emulator.

const PEOPLE = 1_203;
const { signal } = new AbortController();
let outside: OutsideWorkspace;
let database: TestDatabase;
let config: Config;
let session: Session;
let isOver = () => false;

const idOf = (n: number) => `per-${String(n).padStart(5, '0')}`;

beforeAll(async () => {
  const updatedAt = '2026-03-01T00:00:00.000Z';
  const people = Array.from({ length: PEOPLE }, (_, n) => ({
    id: idOf(n),
    name: `P${n}`,
    updatedAt,
  }));
  outside = await startOutsideWorkspace({
    people,
    lists: [
      { id: 'everybody', dynamic: true, title: 'Everybody', members: people.map(({ id }) => id) },
      { id: 'few', dynamic: false, title: 'A few', members: [idOf(1), idOf(2)] },
      { id: 'nobody', dynamic: false, title: 'Nobody', members: [] },
    ],
    // Three forms an answer might have: the page gives none.
    settings: {
      closedWonDealStage: { value: 'Signed' },
      closedLostDealStage: { data: { attributes: { value: 'Gone' } } },
      fiscalYearOffset: 3,
    },
    campaigns: {
      spring: [
        { _id: 'r1', person_id: idOf(1), opened: true, clicked: false, replied: null },
        { person_id: idOf(2), opened: '2026-03-04T05:06:07.008Z', clicked: 2, replied: 0 },
      ],
    },
    comments: {
      c1: {
        owner: idOf(4),
        body: {
          _id: 'c1',
          message: [{ type: 'p', content: [{ text: 'Hi' }] }],
          _created_by: 'user_01',
        },
      },
      c2: { owner: idOf(4), body: { data: { id: 'c2', attributes: { _id: 'c2', message: [] } } } },
      gone: { owner: idOf(5), body: undefined },
    },
    attachments: {
      [idOf(7)]: [
        {
          _id: 'f1',
          name: 'Ä "brief".pdf',
          source: 'email',
          mime_type: 'application/pdf',
          size_bytes: 9_007_199_254_740,
        },
      ],
    },
  });
  database = await createTestDatabase();
  const env = {
    CLARIFY_API_KEY: 'outside-key',
    CLARIFY_WORKSPACE: 'acme',
    CLARIFY_API_URL: outside.url,
    DATABASE_URL: database.url,
    CLARIFY_SYNC_HTTP: 'off',
    CLARIFY_SYNC_CONFIG: 'sync.yaml',
  };
  const readText = async () =>
    'tables: { settings: true, lists: true, campaigns: [spring], every: 1h }\nobjects: { person: { attachments: true, activities: true, comments: true } }';
  config = await loadConfig({ env, readText });
  session = await openSession(config, { log: createLog({ level: 'silent' }), signal });
  await syncOnce(session, { signal });
});
afterAll(async () => {
  await session?.stop();
  await database?.drop();
  await outside?.stop();
});
beforeEach(() => {
  outside.onRequest = () => undefined;
  outside.requests.length = 0;
  isOver = () => false;
});

const query = (text: string) => database.db.query(text);
const pass = () =>
  createSidePass(session)({ signal, priority: 'backfill', isOver: () => isOver() });
const members = async (list: string) =>
  (
    await query(`SELECT record_id FROM clarify.list_member WHERE list_id = '${list}' ORDER BY 1`)
  ).map((row) => row['record_id']);
async function makeDue(part: string): Promise<void> {
  await query(
    `UPDATE clarify_sync.side_reading SET due_at = clock_timestamp() WHERE part = '${part}'`,
  );
}

test('settings, in whichever form they come', async () => {
  expect(await query('SELECT key, value, fields FROM clarify.setting ORDER BY key')).toEqual([
    { key: 'closedLostDealStage', value: 'Gone', fields: { value: 'Gone' } },
    { key: 'closedWonDealStage', value: 'Signed', fields: { value: 'Signed' } },
    { key: 'fiscalYearOffset', value: '3', fields: { value: 3 } },
  ]);
});

test('lists, and their members page by page', async () => {
  expect(await query('SELECT id, title, object, type FROM clarify.list ORDER BY id')).toEqual([
    { id: 'everybody', title: 'Everybody', object: 'person', type: 'dynamic' },
    { id: 'few', title: 'A few', object: 'person', type: 'static' },
    { id: 'nobody', title: 'Nobody', object: 'person', type: 'static' },
  ]);
  expect(await members('everybody')).toEqual(Array.from({ length: PEOPLE }, (_, n) => idOf(n)));
  expect(await members('few')).toEqual([idOf(1), idOf(2)]);
  expect(await query('SELECT FROM clarify_sync.side_page')).toEqual([]);
});

test('recipients, whatever tells that they did something', async () => {
  expect(
    await query(
      'SELECT campaign_id, id, person_id, opened, clicked, replied FROM clarify.campaign_recipient ORDER BY id',
    ),
  ).toEqual([
    {
      campaign_id: 'spring',
      id: idOf(2),
      person_id: idOf(2),
      opened: true,
      clicked: true,
      replied: false,
    },
    {
      campaign_id: 'spring',
      id: 'r1',
      person_id: idOf(1),
      opened: true,
      clicked: false,
      replied: false,
    },
  ]);
});

test('attachments, one request for each record', async () => {
  expect(
    await query('SELECT record_id, object, id, name, source, size_bytes FROM clarify.attachment'),
  ).toEqual([
    {
      record_id: idOf(7),
      object: 'person',
      id: 'f1',
      name: 'Ä "brief".pdf',
      source: 'email',
      size_bytes: '9007199254740',
    },
  ]);
  const [row] = await query(
    `SELECT count(*)::int AS units, count(read_at)::int AS read FROM clarify_sync.side_reading WHERE part = 'attachment'`,
  );
  expect(row).toEqual({ units: PEOPLE, read: PEOPLE });
});

test('comments, by what the past tells of them', async () => {
  expect(
    await query(
      'SELECT record_id, object, id, message, created_by FROM clarify.comment ORDER BY id',
    ),
  ).toEqual([
    {
      record_id: idOf(4),
      object: 'person',
      id: 'c1',
      message: [{ type: 'p', content: [{ text: 'Hi' }] }],
      created_by: 'user_01',
    },
    { record_id: idOf(4), object: 'person', id: 'c2', message: [], created_by: null },
  ]);
});

test('a pass that finds nothing due asks nothing', async () => {
  await pass();
  expect(outside.requests).toEqual([]);
});

test('a list that is broken off goes on where it stood', async () => {
  await makeDue('list_member');
  let pages = 0;
  outside.onRequest = (path) => {
    if (path.includes('/everybody/')) pages += 1;
    return undefined;
  };
  isOver = () => pages >= 2;
  await pass();
  expect(pages).toBe(2);
  isOver = () => false;
  await pass();
  expect(pages).toBe(3);
  expect(await members('everybody')).toHaveLength(PEOPLE);
  expect(await query('SELECT FROM clarify_sync.side_page')).toEqual([]);
});

test('a list that somebody takes from while it is read loses nobody, and is read again', async () => {
  const list = outside.content.lists.find(({ id }) => id === 'everybody');
  await makeDue('list_member');
  outside.onRequest = (path, asked) => {
    // Everybody behind the first page slides by one.
    if (path.includes('/everybody/') && asked.get('page[offset]') === '500') list?.members.shift();
    return undefined;
  };
  await pass();
  expect(await members('everybody')).toHaveLength(PEOPLE);
  const reading = `SELECT error, due_at > clock_timestamp() AS waits FROM clarify_sync.side_reading WHERE part = 'list_member' AND key = 'everybody'`;
  expect(await query(reading)).toEqual([{ error: 'side-list-moved', waits: true }]);
  outside.onRequest = () => undefined;
  await makeDue('list_member');
  await pass();
  expect(await members('everybody')).toEqual(
    Array.from({ length: PEOPLE - 1 }, (_, n) => idOf(n + 1)),
  );
  expect(await query(reading)).toEqual([{ error: null, waits: true }]);
});

test('one list that fails keeps what it had, and no other waits for it', async () => {
  outside.content.lists.find(({ id }) => id === 'few')?.members.push(idOf(3));
  await makeDue('list_member');
  outside.onRequest = (path) => (path.includes('/everybody/') ? 500 : undefined);
  await pass();
  expect(await members('few')).toEqual([idOf(1), idOf(2), idOf(3)]);
  expect(await members('everybody')).toHaveLength(PEOPLE - 1);
});

test('a setting that is not set has no row, and all of them missing is a failure', async () => {
  delete outside.content.settings['fiscalYearOffset'];
  await makeDue('setting');
  await pass();
  expect(await query('SELECT key FROM clarify.setting ORDER BY 1')).toHaveLength(2);
  for (const key of Object.keys(outside.content.settings)) delete outside.content.settings[key];
  await makeDue('setting');
  await pass();
  expect(await query('SELECT key FROM clarify.setting ORDER BY 1')).toHaveLength(2);
  expect(await query(`SELECT code FROM clarify_sync.trouble WHERE part = 'settings'`)).toEqual([
    { code: 'remote-not-found' },
  ]);
});
