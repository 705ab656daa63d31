import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { pullAll } from '../../../src/app/pull-all.ts';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { TEMPLATE } from '../../../src/db/control/schemas.ts';
import { drizzleModule, planDrizzleModule } from '../../../src/db/mirror/drizzle-module.ts';
import { linkTables } from '../../../src/db/mirror/links.ts';
import { mirrorTable } from '../../../src/db/mirror/table.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';
import {
  field,
  hostileNames,
  manyToMany,
  objectOf,
  personName,
} from '../../unit/mirror/schemas.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const TSC = join(root, 'node_modules/typescript/bin/tsc');

let workspace: TestWorkspace;
/** Below the project, so that drizzle-orm is found. */
let folder: string;

beforeAll(async () => {
  const sizes = { person: 4, company: 2, deal: 3, task: 0, meeting: 0, message: 0, c_project: 1 };
  workspace = await openWorkspace({ emulator: { sizes } });
  await pullAll(workspace.session, { signal: workspace.signal, priority: 'pull' });
  await mkdir(join(root, '.clarify-sync'), { recursive: true });
  folder = await mkdtemp(join(root, '.clarify-sync', 'drizzle-'));
});

afterAll(async () => {
  await workspace?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a user writes against the module. */
const USE = `
import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import { c_project, company, deal, deal_people, person } from './clarify.ts';

export async function use(client: pg.Client) {
  const db = drizzle(client);
  const [first] = await db.insert(company).values({ name: 'Made here' }).returning();
  if (first === undefined) throw new Error('no row');
  const id: string = first.id;
  const rows = await db
    .select({ stage: deal.stage, amount: deal.amount, person: deal_people.person_id })
    .from(deal)
    .leftJoin(deal_people, eq(deal_people.deal_id, deal.id));
  const amounts: (string | null)[] = rows.map(({ amount }) => amount);
  await db.update(company).set({ name: 'Renamed here' }).where(eq(company.id, id));
  const [again] = await db.select().from(company).where(eq(company.id, id));
  const emails: string[] | null | undefined = (await db.select().from(person))[0]?.email_addresses;
  const projects = await db.select().from(c_project);
  return { id, name: again?.name ?? null, deals: amounts.length, emails, projects: projects.length };
}

export async function misuse(client: pg.Client) {
  const db = drizzle(client);
  // @ts-expect-error a number comes and goes as its digits
  await db.insert(deal).values({ amount: 1 });
  // @ts-expect-error a generated column
  await db.insert(person).values({ name__full_name: 'Ada' });
  // @ts-expect-error no such field
  await db.select({ it: deal.nowhere }).from(deal);
}
`;

const CONFIG = {
  extends: '../../tsconfig.json',
  compilerOptions: { noUnusedLocals: false },
  include: ['*.ts'],
};

const used = z.object({
  use: z.function({ input: [z.unknown()], output: z.promise(z.unknown()) }),
});

async function typeCheck(): Promise<string> {
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
  try {
    await promisify(execFile)(process.execPath, [TSC, '-p', folder]);
    return '';
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout);
    throw error;
  }
}

function hostileModule(): string {
  const fields = hostileNames.map((name) => field(name, 'text', { label: '*/ evil(); /*\u2028' }));
  const objects = hostileNames.filter((name) => name !== '');
  const schemas = [
    objectOf('pg', [...fields, { ...personName, name: 'whole' }, field('when', 'timestamp')]),
    ...objects.map((object) => objectOf(object, [manyToMany('people', 'class', 'objects')])),
    objectOf('class', [manyToMany('objects', 'class', null)]),
  ];
  const names = new Set(schemas.map(({ object }) => object));
  return drizzleModule(
    TEMPLATE,
    schemas.map((schema) => mirrorTable(schema)),
    linkTables(schemas, (name) => names.has(name)),
  );
}

test('the module type-checks, reads, and writes like anybody', async () => {
  const { session, database, emulator, signal } = workspace;
  const { module, problems } = await planDrizzleModule(
    session.db,
    session.tables.map(({ schema }) => schema),
  );
  expect(problems).toEqual([]);
  await writeFile(join(folder, 'clarify.ts'), module);
  await writeFile(join(folder, 'hostile.ts'), hostileModule());
  await writeFile(join(folder, 'use.ts'), USE);
  expect(await typeCheck()).toBe('');

  const { use } = used.parse(await import(pathToFileURL(join(folder, 'use.ts')).href));
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    expect(await use(client)).toMatchObject({
      id: expect.stringMatching(/^local:/),
      name: 'Renamed here',
      emails: expect.any(Array),
      projects: 1,
    });
  } finally {
    await client.end();
  }
  await syncOnce(session, { signal });
  const names = emulator.store.all('company').map(({ attributes }) => attributes['name']);
  expect(names).toContain('Renamed here');
});

test('columns keep the names they were given, whatever the pure rule says', async () => {
  const { session, sql } = workspace;
  const [deal] = session.tables.filter(({ object }) => object === 'deal');
  if (deal === undefined) throw new Error('no deal');
  await sql('alter table clarify.deal add column risk text');
  const wanted = { ...deal.schema, fields: [...deal.schema.fields, field('risk')] };
  const { module } = await planDrizzleModule(session.db, [wanted]);
  expect(module).not.toContain('"risk": pg');
  expect(module).toMatch(/"risk_[0-9a-f]{8}": pg\.text/);
});

test('hostile names mean exactly what they are', async () => {
  const path = join(folder, 'hostile.ts');
  await writeFile(path, hostileModule());
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const { getTableConfig, PgTable } = await import('drizzle-orm/pg-core');
  const { is } = await import('drizzle-orm');
  const tables = Object.values(module).flatMap((each) => (is(each, PgTable) ? [each] : []));
  const found = tables.find((table) => getTableConfig(table).name === 'pg');
  if (found === undefined) throw new Error('no table pg');
  const columns = getTableConfig(found).columns.map(({ name }) => name);
  const fields = hostileNames.map((name) => field(name));
  const expected = mirrorTable(objectOf('pg', [...fields, { ...personName, name: 'whole' }]));
  for (const { column, parts } of expected.columns) {
    expect(columns).toContain(column);
    for (const part of parts) expect(columns).toContain(part.column);
  }
  for (const name of hostileNames.filter((each) => each !== '')) {
    const { name: table } = mirrorTable(objectOf(name, []));
    expect(tables.map((each) => getTableConfig(each).name)).toContain(table);
  }
});
