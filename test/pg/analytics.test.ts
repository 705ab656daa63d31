import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivitiesPass } from '../../src/app/daemon/activities-pass.ts';
import { refreshUsers } from '../../src/app/daemon/background-jobs.ts';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import { SAMPLE_CAMPAIGN } from '../../src/emulator/clarify/sample-data/fill-extras.ts';
import { answerText } from '../support/answer-text.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';

let workspace: TestWorkspace;
let reader: pg.Client;

/** Each question with its query, and what the page shows as the answer. */
const page = readPage('analytics.md');
const questions = [
  ...page.matchAll(/^### (\d+\. .*)\n\n```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/gm),
].map(([, title = '', query = '', answer = '']) => ({ title, query, answer }));

/** On this day the deals were moved on, whenever the test runs. */
const MOVED_ON = Date.parse('2026-11-26T12:00:00Z');

/** The sample data, its deals with a history that begins in spring and goes on since. */
beforeAll(async () => {
  const told = { fields: {}, activities: true, delete: 'push' } as const;
  workspace = await openWorkspace({
    emulator: { clock: () => MOVED_ON },
    config: {
      objects: {
        deal: { ...told, history: true, attachments: null },
        person: { ...told, history: false },
      },
      tables: { settings: true, lists: true, campaigns: [SAMPLE_CAMPAIGN], everyMs: 3_600_000 },
    },
  });
  const { session, signal, sql, emulator } = workspace;
  const pull = () => pullAll(session, { signal, priority: 'pull' });
  await pull();
  await refreshUsers(session, { signal, priority: 'pull', force: true });
  await sql(
    `UPDATE clarify_history.deal SET _valid_from = least('2026-04-01Z', now() - interval '200 days')`,
  );
  const deals = emulator.store.all('deal').filter(({ attributes }) => {
    return attributes['stage'] === 'Proposal' || attributes['stage'] === 'Negotiation';
  });
  for (const [index, { id }] of deals.slice(0, 12).entries()) {
    emulator.store.update('deal', id, { stage: index % 3 === 0 ? 'Lost' : 'Won' });
  }
  for (const { id } of deals.slice(12, 15)) emulator.store.delete('deal', id);
  await pull();
  await readSideTables();
  await createActivitiesPass(session)({ signal, priority: 'backfill' });
  reader = new pg.Client({ connectionString: workspace.database.url });
  await reader.connect();
  await reader.query(`SET timezone = 'UTC'`);
  for (const block of fenced(page, 'sql')) {
    if (block.startsWith('create temp view')) await reader.query(block);
  }
});

afterAll(async () => {
  await reader?.end();
  await workspace?.stop();
});

async function readSideTables(): Promise<void> {
  const { session, signal } = workspace;
  await session.db.query('UPDATE clarify_sync.side_reading SET due_at = clock_timestamp()');
  await createSidePass(session)({ signal, priority: 'pull' });
}

test('the page answers more than twenty questions', () => {
  expect(questions.length).toBeGreaterThan(20);
});

test.each(questions)('$title', async ({ query, answer }) => {
  const asText = { getTypeParser: () => (text: string) => text };
  const result = await reader.query<(string | null)[]>({
    text: query,
    rowMode: 'array',
    types: asText,
  });
  const text = answerText(result);
  if (!dependsOnToday(query)) expect(text).toBe(answer.trimEnd());
  const [head = '', ...shown] = answer.trimEnd().split('\n');
  expect(columns(head)).toEqual(result.fields.map(({ name }) => name));
  // What the page shows has as many rows, and no query answers with nothing but nulls.
  expect(shown.length - 1).toBe(result.rows.length);
  expect(result.rows.length).toBeGreaterThan(0);
  for (const [n] of result.fields.entries()) {
    expect(result.rows.some((row) => row[n] !== null)).toBe(true);
  }
});

async function ask(number: number) {
  const { query } = questions.find(({ title }) => title.startsWith(`${number}.`)) ?? {};
  return (await reader.query(query ?? '')).rows;
}

function columns(line: string): string[] {
  return line.split('|').map((name) => name.trim());
}

/** It asks for the day, or for when the warehouse saw something; what nobody saw is dated by Clarify. */
function dependsOnToday(query: string): boolean {
  return /now\(\)|current_date|clarify_history/.test(query) && !query.includes('_unknown');
}

test('the pipeline of a past day is the one that was, and not the one that is', async () => {
  const query = questions.find(({ title }) => title.startsWith('9.'))?.query ?? '';
  const at = (instant: string) => query.replaceAll(`timestamptz '2026-05-01 00:00Z'`, instant);
  const then = await reader.query(at(`now() - interval '100 days'`));
  const now = await reader.query(at('now()'));
  const total = (rows: { deals: string }[]) =>
    rows.reduce((sum, row) => sum + Number(row.deals), 0);
  expect(total(then.rows) - total(now.rows)).toBe(15);
  const today = await reader.query(
    `SELECT count(*)::int AS deals FROM clarify.deal WHERE stage NOT IN ('Won', 'Lost')`,
  );
  expect(total(now.rows)).toBe(today.rows[0].deals);
});

test('a day before this was installed is the same by history and by activities', async () => {
  const day = (await ask(21)).find((row) => row['end_of'] === '2025-09');
  const byHistory = (await ask(13)).map(({ amount }) => Number(amount));
  const byActivities = ['discovery', 'proposal', 'negotiation'].map((stage) => Number(day[stage]));
  expect(byHistory).toEqual(byActivities);
});

test('which stages are closed, and when the year begins, is the workspace’s to say', async () => {
  const { settings } = workspace.emulator.extras;
  const before = { ...settings };
  const quarters = (await ask(4)).map(({ quarter }) => quarter);
  Object.assign(settings, { closedWonDealStage: 'Negotiation', fiscalYearOffset: 3 });
  await readSideTables();
  expect((await ask(1)).map(({ stage }) => stage)).toEqual(['Discovery', 'Proposal', 'Won']);
  expect((await ask(4)).map(({ quarter }) => quarter)).not.toEqual(quarters);
  Object.assign(settings, before);
  await readSideTables();
  expect((await ask(4)).map(({ quarter }) => quarter)).toEqual(quarters);
});
