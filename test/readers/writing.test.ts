import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushOnce } from '../../src/app/push-once.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import { TEMPLATE } from '../../src/db/control/schemas.ts';
import { drizzleModule } from '../../src/db/mirror/drizzle-module.ts';
import { differences } from '../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { fenced, readPage } from '../unit/docs/page.ts';
import { seenByNode, seenByPython } from './tools.ts';

// docs/readers.md, what writes and what sees relations; and the examples of docs/beside.md.

let workspace: TestWorkspace;

beforeAll(async () => {
  const sizes = { person: 4, company: 4, deal: 6, task: 3, meeting: 1, message: 1, c_project: 1 };
  workspace = await openWorkspace({ emulator: { sizes } });
  const { emulator, session, signal, sql } = workspace;
  emulator.store.create('deal', { name: 'Whole', amount: 1, close_date: '2026-03-01' });
  emulator.store.addObject({
    object: 'c_odd',
    singular: 'Odd one',
    plural: 'Odd ones',
    fields: ['created_at', 'say "hi"'].map((name) => ({ name, form: { kind: 'text' } })),
  });
  for (const last_name of ['Empty', 'None']) {
    emulator.store.create('person', { name: { last_name }, job_title: 'Listed' });
  }
  await session.refreshSchema(signal);
  await syncOnce(session, { signal });
  await sql(`UPDATE clarify.person SET interests = '{}' WHERE name__last_name = 'Empty'`);
  await syncOnce(session, { signal });
});
afterAll(() => workspace?.stop());

const url = () => workspace.database.url;
const section = (title: string) =>
  new RegExp(`^##+ ${title}\\n[^]*?(?=^##+ )`, 'm').exec(readPage('beside.md'))?.[0] ?? '';
const example = (title: string, language: string) => fenced(section(title), language)[0] ?? '';
async function createdAt(): Promise<string> {
  const [deal] = await workspace.sql(`SELECT _created_at FROM clarify.deal WHERE name = 'Whole'`);
  const created = deal?.['_created_at'];
  return created instanceof Date ? created.toISOString() : expect.fail('no such deal');
}
/** Waits, where the page says that it makes no difference. */
const waits = (text: string) =>
  `import { pushed } from './pushed.mjs';\n${text.replace('// before its push or long after it', 'await pushed();')}`;

/** Pushes as a daemon would, as long as the work goes on. */
async function whilePushing<T>(work: Promise<T>): Promise<T> {
  const { session, signal } = workspace;
  const isOver = work.then(
    () => true,
    () => true,
  );
  const pause = () => new Promise<false>((resolve) => setTimeout(resolve, 100, false));
  do await pushOnce(session, { signal });
  while (!(await Promise.race([isOver, pause()])));
  return await work;
}

/** Tasks in the CRM by title, once everything has arrived; the mirror agrees. */
async function tasksOf(title: RegExp): Promise<Record<string, unknown>[]> {
  await syncOnce(workspace.session, { signal: workspace.signal });
  expect(await differences(workspace)).toEqual([]);
  return workspace.emulator.store
    .all('task')
    .map(({ attributes }) => attributes)
    .filter((attributes) => title.test(JSON.stringify(attributes['title'])));
}

/** One task after insert, update and upsert, and gone from here, for the next example. */
async function expectOneCall(): Promise<void> {
  const calls = await tasksOf(/^"Call/);
  expect(calls).toMatchObject([{ title: 'Call again', status: 'Done' }]);
  await workspace.sql(`DELETE FROM clarify.task WHERE title LIKE 'Call%'`);
  expect(await tasksOf(/^"Call/)).toEqual([]);
}

test('Prisma, as the page shows it', async () => {
  const files = {
    'model.prisma': example('Prisma', 'prisma'),
    'example.ts': waits(example('Prisma', 'ts')),
  };
  const seen = await whilePushing(seenByNode('write_prisma.mjs', url(), files));
  expect(seen).toEqual({
    status: 'Done',
    company: 'Prisma Labs',
    amount: [expect.stringMatching('Decimal'), '1.0000'],
    closed: '2026-03-01T00:00:00.000Z',
    created: await createdAt(),
    // NULL is empty.
    lists: [[], []],
    name: expect.stringMatching(/Empty|None/),
  });
  await expectOneCall();
});

test('Drizzle, as the page shows it', async () => {
  const { tables, links } = workspace.session;
  const files = {
    'clarify.ts': drizzleModule(TEMPLATE, tables, links),
    'example.ts': waits(example('Drizzle', 'ts')),
  };
  const seen = await whilePushing(seenByNode('write_drizzle.mjs', url(), files));
  const { created, ...rest } = seen;
  expect(new Date(String(created)).toISOString()).toBe(await createdAt());
  expect(rest).toEqual({
    amount: expect.stringMatching(/^1/),
    closed: '2026-03-01',
    lists: [[], null],
    odd: expect.arrayContaining(['_created_at', 'created_at', 'say "hi"']),
  });
  await expectOneCall();
});

test('SQLAlchemy, as the page shows it, and the relations its automap sees', async () => {
  const seen = await whilePushing(
    seenByPython('write_page.py', url(), example('SQLAlchemy', 'python')),
  );
  expect(seen['deal']).toEqual(expect.arrayContaining(['company', 'person_collection']));
  expect(seen['task']).toEqual(expect.arrayContaining(['company', 'deal', 'person', 'meeting']));
  await expectOneCall();
});

test('Sequelize, TypeORM and Knex', async () => {
  const seen = await whilePushing(seenByNode('write.mjs', url()));
  // A date is midnight of this machine's zone, here New York's.
  expect(seen).toEqual({
    sequelize: ['string', '2026-03-01', false],
    knex: ['string', '2026-03-01T05:00:00.000Z'],
    nameless: [null],
    lists: [
      [[], null],
      [[], null],
    ],
    name: 'Empty',
  });
  const titles = (await tasksOf(/sequelize|typeorm|knex/)).map(({ title }) => title);
  const wanted = ['knex upserted', 'sequelize upserted', 'typeorm upserted'];
  expect(new Set(titles)).toEqual(new Set([...wanted, 'typeorm without a key']));
  expect(titles).toHaveLength(4);
});

test('Prisma and drizzle-kit see relations and scales', async () => {
  const seen = await seenByNode('see_relations.mjs', url());
  // What the page calls one name for two columns, and a name that breaks the model.
  expect(seen['odd']).toEqual({ prisma: 2, drizzle: 2, quote: false });
  const relation = 'onDelete: NoAction, onUpdate: NoAction';
  expect(seen['prisma']).toEqual([
    'key String @unique @default("local:") @map("_key")',
    'amount Decimal? @db.Decimal(20, 4)',
    'close_date DateTime? @db.Date',
    `company company? @relation(fields: [company_id], references: [id], ${relation})`,
    'deal_people deal_people[]',
  ]);
  expect(seen['drizzle']).toEqual([true, true, true, true]);
});
