import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/connection/database.ts';
import { controlVersion, migrateControl, migrationsFolder } from '../../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  await cp(migrationsFolder(), folder, { recursive: true });
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

async function schemas(): Promise<string[]> {
  const rows = await database.db.query<{ nspname: string }>(
    "select nspname from pg_namespace where nspname !~ '^pg_' order by 1",
  );
  return rows.map(({ nspname }) => nspname);
}

async function editJournal(edit: (entries: { tag: string }[]) => { tag: string }[]) {
  const path = join(folder, 'meta', '_journal.json');
  const journal: { entries: { tag: string }[] } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...journal, entries: edit(journal.entries) }));
}

describe('migrateControl', () => {
  it('creates our two schemas and nothing else, once', async () => {
    const first = await migrateControl(database.db);
    expect(first.applied).toBe(first.total);
    expect(await schemas()).toEqual(['clarify', 'clarify_sync', 'information_schema', 'public']);
    expect(await migrateControl(database.db)).toEqual({ applied: 0, total: first.total });
    expect(await controlVersion(database.db)).toEqual({
      applied: first.total,
      total: first.total,
    });
  });

  it('comments on every control table and column', async () => {
    await migrateControl(database.db);
    const uncommented = await database.db.query(
      `select relname, attname
         from pg_class
         join pg_attribute on attrelid = pg_class.oid and not attisdropped
        where relnamespace = 'clarify_sync'::regnamespace and relkind in ('r', 'v')
          and (attnum > 0 and col_description(attrelid, attnum) is null
               or attnum = -1 and obj_description(attrelid, 'pg_class') is null)`,
    );
    expect(uncommented).toEqual([]);
  });

  it('applies each migration once when many start together', async () => {
    const others = [1, 2, 3].map((n) =>
      openDatabase({ url: database.url, applicationName: `racer ${n}`, max: 1 }),
    );
    const results = await Promise.all(
      [database.db, ...others].map((contender) => migrateControl(contender)),
    );
    await Promise.all(others.map((other) => other.close()));
    expect(results.filter(({ applied }) => applied > 0)).toHaveLength(1);
  });

  it('refuses a database that a newer version migrated', async () => {
    await migrateControl(database.db);
    await editJournal((entries) => entries.slice(0, -1));
    await expect(migrateControl(database.db, { folder })).rejects.toMatchObject({
      code: 'schema-newer',
      disposition: 'halt',
    });
  });

  it('refuses a migration that was edited after it was applied', async () => {
    await migrateControl(database.db);
    const path = join(folder, '0000_control.sql');
    await writeFile(path, `${await readFile(path, 'utf8')}\n-- edited`);
    await expect(migrateControl(database.db, { folder })).rejects.toMatchObject({
      code: 'schema-edited',
    });
  });

  it.each(['clarify', 'clarify_sync', 'clarify_history'])(
    'leaves a foreign schema %s alone',
    async (name) => {
      await database.db.query(`create schema ${name}`);
      await database.db.query(`create table ${name}.theirs (id int)`);
      const before = await schemas();
      await expect(migrateControl(database.db)).rejects.toMatchObject({ code: 'schema-foreign' });
      expect(await schemas()).toEqual(before);
      expect(await database.db.query(`select * from ${name}.theirs`)).toEqual([]);
    },
  );

  it('names every schema that is in its way, and takes up a history that was kept', async () => {
    await database.db.query('create schema clarify; create table clarify.theirs (id int)');
    await database.db.query(
      'create schema clarify_sync; create table clarify_sync.theirs (id int)',
    );
    await database.db.query(`create schema clarify_history;
      create table clarify_history.deal (id text, _valid_from timestamptz, primary key (id, _valid_from))`);
    await expect(migrateControl(database.db)).rejects.toMatchObject({
      problems: [
        expect.stringContaining('schema clarify exists'),
        expect.stringContaining('schema clarify_sync exists'),
      ],
    });
    await database.db.query('drop schema clarify, clarify_sync cascade');
    expect((await migrateControl(database.db)).applied).toBeGreaterThan(0);
  });

  it('uses empty schemas that an administrator made', async () => {
    await database.db.query('create schema clarify');
    await database.db.query('create schema clarify_sync');
    expect((await migrateControl(database.db)).applied).toBeGreaterThan(0);
  });

  it('leaves nothing half-made when a migration fails', async () => {
    await writeFile(join(folder, '0000_broken.sql'), 'select nothing_of_the_kind()');
    await editJournal((entries) => [
      ...entries.slice(0, 1),
      { ...entries[0], tag: '0000_broken' },
      ...entries.slice(1),
    ]);
    await expect(migrateControl(database.db, { folder })).rejects.toMatchObject({
      code: 'database-statement',
    });
    expect(await schemas()).toEqual(['information_schema', 'public']);
    expect((await migrateControl(database.db)).applied).toBeGreaterThan(0);
  });
});
