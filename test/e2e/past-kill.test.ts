import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorkspace } from '../support/workspace.ts';
import { runCli, startCli } from './cli-process.ts';

const DEALS = 320;
const DAY_MS = 86_400_000;
/** What the trigger of the test waits for. */
const HELD = 4_711;

/** Whoever writes a version of this record stands within a batch until the test lets go. */
const holdSql = (id: string) => `
  CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.id = '${id}' AND NEW._reconstructed THEN PERFORM pg_advisory_xact_lock(${HELD}); END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER hold BEFORE INSERT ON clarify_history.deal FOR EACH ROW EXECUTE FUNCTION public.hold();
  SELECT pg_advisory_lock(${HELD})`;

test('killed within a batch and between two, what is committed is right, and the rest is done again', async () => {
  const none = { company: 0, person: 0, task: 0, meeting: 0, message: 0, c_project: 0, deal: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'past-'));
  const file = join(folder, 'sync.yaml');
  await writeFile(file, 'objects: { deal: { activities: true, history: true } }\n');
  const begin = Math.floor(Date.now() / DAY_MS) * DAY_MS - 100 * DAY_MS;
  const truth: unknown[] = [];
  const workspace = await openWorkspace({
    emulator: { sizes: none, switches: { ratePerMinute: 1_000_000 } },
    config: { objects: { deal: { activities: true, history: true, fields: {}, delete: 'push' } } },
    prepareEmulator({ store }) {
      for (let n = 0; n < DEALS; n += 1) {
        const id = store.create('deal', { name: `Deal ${n}`, amount: n }, { at: begin });
        truth.push([id, 0, n], [id, 1 + (n % 5), n + 1], [id, 30, n + 2]);
        store.update('deal', id, { amount: n + 1 }, { at: begin + (1 + (n % 5)) * DAY_MS });
        store.update('deal', id, { amount: n + 2 }, { at: begin + 30 * DAY_MS });
      }
    },
  });
  try {
    const { emulator, database, sql } = workspace;
    const env = {
      CLARIFY_API_URL: emulator.url,
      CLARIFY_API_KEY: emulator.apiKey,
      CLARIFY_WORKSPACE: emulator.workspace,
      DATABASE_URL: database.url,
      CLARIFY_SYNC_CONFIG: file,
      CLARIFY_SYNC_HTTP: 'off',
    };
    const done = async () => {
      const [row] = await sql('SELECT count(past_at)::int AS n FROM clarify_sync.activity_feed');
      return Number(row?.['n']);
    };
    /** Of every record all of its past, or nothing of it and it is still to be done. */
    const isRight = async () => {
      const odd = await sql(
        `SELECT f.record_id FROM clarify_sync.activity_feed AS f
          WHERE (SELECT count(*) FROM clarify_history.deal AS h WHERE h.id = f.record_id AND h._reconstructed)
                <> CASE WHEN f.past_at IS NULL THEN 0 ELSE 3 END`,
      );
      expect(odd).toEqual([]);
      const torn = await sql(
        `SELECT id FROM (SELECT *, lead(_valid_from) OVER (PARTITION BY id ORDER BY _valid_from) AS next
                           FROM clarify_history.deal) AS h
          WHERE _valid_to IS DISTINCT FROM next OR _valid_to <= _valid_from`,
      );
      expect(torn).toEqual([]);
    };
    const ids = emulator.store.ids('deal');
    const killed = async (isTime: () => Promise<boolean>) => {
      const process = startCli(['backfill', 'deal', '--json'], { env });
      while (!(await isTime())) await new Promise((resolve) => setImmediate(resolve));
      process.child.kill('SIGKILL');
      expect((await process.ended).code).toBeNull();
      // What it was at is undone once Postgres has noticed.
      const others = `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND application_name LIKE 'clarify-sync%' AND state <> 'idle' AND pid <> pg_backend_pid()`;
      await expect.poll(() => sql(others), { timeout: 30_000 }).toEqual([]);
      await isRight();
    };

    await sql(holdSql(ids.at(-1) ?? ''));
    const stands = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${HELD} AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    await killed(async () => (await sql(stands)).length > 0);
    const before = await done();
    expect(before).toBeLessThan(DEALS);
    await sql('DROP TRIGGER hold ON clarify_history.deal');
    await sql(`SELECT pg_advisory_unlock(${HELD})`);

    await killed(async () => (await done()) > before);
    expect((await runCli(['backfill', 'deal', '--json'], { env })).code).toBe(0);
    expect(await done()).toBe(DEALS);
    await isRight();
    const told = await sql(
      `SELECT id, extract(day FROM _valid_from - to_timestamp($1::float8 / 1000))::int AS day, amount::int AS amount
         FROM clarify_history.deal WHERE _reconstructed ORDER BY 2, 3, 1`,
      [begin],
    );
    const found = told.map(({ id, day, amount }) => JSON.stringify([id, day, amount]));
    expect(new Set(found)).toEqual(new Set(truth.map((one) => JSON.stringify(one))));
    expect(found).toHaveLength(truth.length);
  } finally {
    await workspace.stop();
    await rm(folder, { recursive: true });
  }
}, 240_000);
