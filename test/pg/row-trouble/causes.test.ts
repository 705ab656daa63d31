import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { pullAll } from '../../../src/app/pull-all.ts';
import { readStatus } from '../../../src/app/status.ts';
import { differences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// Whatever a table can answer to the write of one row: that row alone is put aside with the reason,
// the rest of the page goes on, and it comes in once the cause is gone (invariant 10).

let workspace: TestWorkspace;
beforeAll(async () => {
  workspace = await openWorkspace({ emulator: { sizes: 'none' } });
});
afterAll(() => workspace.stop());

let down: string | null = null;
afterEach(async () => {
  if (down !== null) await workspace.sql(down).catch(() => undefined);
  await workspace.sql(`DELETE FROM clarify.task WHERE id LIKE 'local:%'`);
  const { store } = workspace.emulator;
  for (const id of store.ids('task')) store.delete('task', id);
  await pull();
});

const pull = async (everything = true) => {
  const { session, signal } = workspace;
  const [run] = await pullAll(session, { objects: ['task'], signal, priority: 'pull', everything });
  return run;
};
const aside = () =>
  workspace.sql(
    `SELECT id, kind, code, sqlstate, table_name, constraint_name, reason FROM clarify_sync.deferred
      WHERE object = 'task' AND code IS NOT NULL ORDER BY id`,
  );

interface Cause {
  readonly name: string;
  readonly up: string;
  readonly down: string;
  readonly sqlState: string | null;
  readonly constraint?: string;
  readonly table?: string;
}

const raise = (how: string) => `
  CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.title LIKE 'Culprit%' THEN ${how} END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON clarify.task FOR EACH ROW EXECUTE FUNCTION public.refuse()`;
const unraise = 'DROP FUNCTION public.refuse() CASCADE';
const raised = (name: string, how: string, sqlState: string): Cause => ({
  name: `a trigger: ${name}`,
  up: raise(how),
  down: unraise,
  sqlState,
});

const CAUSES: readonly Cause[] = [
  {
    name: 'a check',
    up: `ALTER TABLE clarify.task ADD CONSTRAINT no_culprit CHECK (title NOT LIKE 'Culprit%') NOT VALID`,
    down: 'ALTER TABLE clarify.task DROP CONSTRAINT no_culprit',
    sqlState: '23514',
    constraint: 'no_culprit',
  },
  {
    name: 'a unique index',
    up: `CREATE UNIQUE INDEX one_culprit ON clarify.task ((title LIKE 'Culprit%')) WHERE title LIKE 'Culprit%';
         INSERT INTO clarify.task (title) VALUES ('Culprit, born here')`,
    down: 'DROP INDEX clarify.one_culprit',
    sqlState: '23505',
    constraint: 'one_culprit',
  },
  {
    name: 'a column of their own that must not be null',
    up: `ALTER TABLE clarify.task ADD COLUMN rated integer;
         CREATE FUNCTION public.rate() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.title NOT LIKE 'Culprit%' THEN NEW.rated := 1; END IF; RETURN NEW; END $$;
         CREATE TRIGGER rate BEFORE INSERT OR UPDATE ON clarify.task FOR EACH ROW EXECUTE FUNCTION public.rate();
         ALTER TABLE clarify.task ADD CONSTRAINT rated_set CHECK (rated IS NOT NULL) NOT VALID`,
    down: 'DROP FUNCTION public.rate() CASCADE; ALTER TABLE clarify.task DROP COLUMN rated',
    sqlState: '23514',
  },
  {
    name: 'NOT NULL on a column of theirs',
    up: `ALTER TABLE clarify.task ADD COLUMN must text;
         CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN NEW.must := CASE WHEN NEW.title NOT LIKE 'Culprit%' THEN 'x' END; RETURN NEW; END $$;
         CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON clarify.task FOR EACH ROW EXECUTE FUNCTION public.fill();
         UPDATE clarify.task SET must = 'x'; ALTER TABLE clarify.task ALTER COLUMN must SET NOT NULL`,
    down: 'DROP FUNCTION public.fill() CASCADE; ALTER TABLE clarify.task DROP COLUMN must',
    sqlState: '23502',
  },
  {
    name: 'a foreign key, checked at the commit',
    up: `CREATE TABLE public.allowed (title text PRIMARY KEY);
         INSERT INTO public.allowed SELECT DISTINCT title FROM clarify.task WHERE title IS NOT NULL;
         INSERT INTO public.allowed VALUES ('Fine 1'), ('Fine 2') ON CONFLICT DO NOTHING;
         ALTER TABLE clarify.task ADD CONSTRAINT is_allowed FOREIGN KEY (title) REFERENCES public.allowed
           DEFERRABLE INITIALLY DEFERRED`,
    down: 'DROP TABLE public.allowed CASCADE',
    sqlState: '23503',
    constraint: 'is_allowed',
  },
  {
    name: 'a constraint trigger, fired at the commit',
    up: `${raise(`RAISE 'no' USING ERRCODE = 'ABCDE';`).replace(/CREATE TRIGGER[\s\S]*/, '')};
         CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON clarify.task DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION public.refuse()`,
    down: unraise,
    sqlState: 'ABCDE',
  },
  {
    name: 'an expression index whose function fails',
    up: `CREATE FUNCTION public.key_of(t text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
           $$ BEGIN IF t LIKE 'Culprit%' THEN RETURN (SELECT count(*) FROM public.dropped); END IF; RETURN 1; END $$;
         CREATE INDEX by_key ON clarify.task (public.key_of(title))`,
    down: 'DROP FUNCTION public.key_of(text) CASCADE',
    sqlState: '42P01',
  },
  {
    name: 'an index entry that is too long',
    up: 'CREATE INDEX by_description ON clarify.task (long_of(title))',
    down: 'DROP INDEX clarify.by_description; DROP FUNCTION long_of(text)',
    sqlState: '54000',
  },
  {
    name: 'an exclusion',
    up: `ALTER TABLE clarify.task ADD CONSTRAINT apart EXCLUDE ((title LIKE 'Culprit%') WITH =) WHERE (title LIKE 'Culprit%');
         INSERT INTO clarify.task (title) VALUES ('Culprit, born here')`,
    down: 'ALTER TABLE clarify.task DROP CONSTRAINT apart',
    sqlState: '23P01',
  },
  raised('RAISE', `RAISE EXCEPTION 'secret';`, 'P0001'),
  raised('an assertion', `ASSERT false, 'secret';`, 'P0004'),
  raised('a SQLSTATE of its own', `RAISE 'secret' USING ERRCODE = 'CS003';`, 'CS003'),
  raised('a class of ours', `RAISE 'secret' USING ERRCODE = '08006';`, '08006'),
  raised('no such password', `RAISE 'secret' USING ERRCODE = '28P01';`, '28P01'),
  raised('a table it lacks', 'PERFORM 1 FROM public.dropped;', '42P01'),
  raised('a column it lacks', 'PERFORM NEW.nothing;', '42703'),
  raised('a function it lacks', 'PERFORM public.nothing(1);', '42883'),
  raised('a right it lacks', `RAISE insufficient_privilege;`, '42501'),
  raised('a cast', `PERFORM 'x'::integer;`, '22P02'),
  raised('a division', `PERFORM 1 / (length(NEW.title) * 0);`, '22012'),
  raised('too many rows', `PERFORM (SELECT 1 FROM generate_series(1, 2));`, '21000'),
  raised('a commit', `COMMIT;`, '2D000'),
  raised('too deep', `PERFORM public.deep();`, '54001'),
  raised('not supported', `RAISE feature_not_supported;`, '0A000'),
  raised('a state', `RAISE object_not_in_prerequisite_state;`, '55000'),
  raised('an internal error', `RAISE internal_error;`, 'XX000'),
  raised('a view', `RAISE with_check_option_violation;`, '44000'),
  raised('another server', `RAISE 'x' USING ERRCODE = 'HV00N';`, 'HV00N'),
  raised('an external routine', `RAISE external_routine_exception;`, '38000'),
];

const NEEDS: Readonly<Record<string, string>> = {
  '54001': `CREATE OR REPLACE FUNCTION public.deep() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM public.deep(); END $$`,
  '54000': `CREATE OR REPLACE FUNCTION long_of(t text) RETURNS text LANGUAGE sql IMMUTABLE AS
     $$ SELECT CASE WHEN t LIKE 'Culprit%' THEN (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n) ELSE t END $$`,
};

test.each(CAUSES)('$name', async (cause) => {
  const { emulator, sql } = workspace;
  const culprit = emulator.store.create('task', { title: 'Fine' });
  const others = Array.from({ length: 9 }, () => emulator.store.create('task', { title: 'Fine' }));
  await pull();
  if (cause.sqlState && NEEDS[cause.sqlState]) await sql(NEEDS[cause.sqlState] ?? '');
  down = cause.down;
  // CREATE INDEX also reads rows that are dead, as long as somebody's snapshot may see them: those of
  // the cause before.
  await vi.waitFor(() => sql(cause.up), { timeout: 10_000 });
  for (const id of others) emulator.store.update('task', id, { title: 'Fine 1' });
  emulator.store.update('task', culprit, { title: 'Culprit' });
  const born = emulator.store.create('task', { title: 'Culprit, new' });
  emulator.store.create('task', { title: 'Fine 2' });

  const run = await pull();
  expect(run).toMatchObject({ state: 'ok', error: null });
  const found = await aside();
  expect(found.map(({ id }) => id)).toEqual([culprit, born].toSorted());
  for (const one of found) {
    expect(one).toMatchObject({ kind: 'apply', code: 'row-refused', sqlstate: cause.sqlState });
    if (cause.constraint) expect(one).toMatchObject({ constraint_name: cause.constraint });
    expect(String(one['table_name'])).toBe(cause.table ?? 'clarify.task');
    expect(JSON.stringify(one)).not.toMatch(/secret|Culprit/);
  }
  const rest = await sql(`SELECT 1 FROM clarify.task WHERE title = 'Fine 1' AND id = ANY($1)`, [
    others,
  ]);
  expect(rest).toHaveLength(9);
  const { objects } = await readStatus(workspace.session.db);
  expect(objects.find(({ object }) => object === 'task')).toMatchObject({
    setAside: 2,
    lastError: null,
  });

  await sql(cause.down);
  down = null;
  await sql(`DELETE FROM clarify.task WHERE id LIKE 'local:%'`);
  await pull();
  expect(await aside()).toEqual([]);
  expect(await differences(workspace)).toEqual([]);
});
