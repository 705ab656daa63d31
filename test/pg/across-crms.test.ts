import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/app/config/config.ts';
import { createLog } from '../../src/app/log.ts';
import { openSession } from '../../src/app/session.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { startAttio } from '../../src/emulator/attio/emulator.ts';
import { startBrevo } from '../../src/emulator/brevo/emulator.ts';
import { startKizen } from '../../src/emulator/kizen/emulator.ts';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { readPage } from '../unit/docs/page.ts';

// One workspace of each CRM in one database, and the query of docs/analytics.md that asks them all.

const [, query = '', answer = ''] =
  /^## Across CRMs\n[\s\S]*?```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/m.exec(
    readPage('analytics.md'),
  ) ?? [];
const signal = new AbortController().signal;
const stops: (() => Promise<void>)[] = [];
let database: TestDatabase;
let reader: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  const clarify = await startCheckedEmulator();
  const attio = await startAttio();
  const kizen = await startKizen();
  const brevo = await startBrevo();
  for (const { stop } of [clarify, attio, kizen, brevo]) stops.push(stop);
  const workspaces: Readonly<Record<string, string>>[] = [
    {
      CLARIFY_API_KEY: clarify.apiKey,
      CLARIFY_API_URL: clarify.url,
      CLARIFY_WORKSPACE: clarify.workspace,
    },
    { CLARIFY_SYNC_CRM: 'attio', ATTIO_API_KEY: attio.apiKey, ATTIO_API_URL: attio.url },
    {
      CLARIFY_SYNC_CRM: 'kizen',
      KIZEN_API_KEY: kizen.apiKey,
      KIZEN_USER_ID: kizen.userId,
      KIZEN_BUSINESS_ID: kizen.businessId,
      KIZEN_API_URL: kizen.url,
    },
    { CLARIFY_SYNC_CRM: 'brevo', BREVO_API_KEY: brevo.apiKey, BREVO_API_URL: brevo.url },
  ];
  for (const workspace of workspaces) {
    const env = { ...workspace, DATABASE_URL: database.url, CLARIFY_SYNC_HTTP: 'off' };
    const log = createLog({ level: 'silent' });
    const session = await openSession(await loadConfig({ env }), { log, signal });
    await syncOnce(session, { signal });
    await session.stop();
  }
  reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
}, 120_000);

afterAll(async () => {
  await reader?.end();
  await Promise.all(stops.map((stop) => stop()));
  await database?.drop();
});

test('one query asks four CRMs', async () => {
  const { rows, fields } = await reader.query(query);
  const [head = '', , ...shown] = answer.trim().split('\n');
  expect(head.split('|').map((name) => name.trim())).toEqual(fields.map(({ name }) => name));
  expect(shown.map((line) => line.split('|')[0]?.trim())).toEqual(rows.map(({ name }) => name));
  for (const { name } of fields) expect(rows.some((row) => row[name] !== null)).toBe(true);
});

test('each has its own schemas, and no table of another', async () => {
  const { rows } = await reader.query(
    `SELECT nspname FROM pg_namespace WHERE nspname ~ '^(clarify|attio|kizen|brevo)(_sync)?$' ORDER BY 1`,
  );
  expect(rows.map(({ nspname }) => nspname)).toEqual(
    ['attio', 'brevo', 'clarify', 'kizen'].flatMap((name) => [name, `${name}_sync`]),
  );
});
