/**
 * One workspace of each CRM in one warehouse, served by two processes, while people edit, make, merge
 * and remove on all sides: `npm run four -- --minutes 30`. Every two minutes one of the processes is
 * killed and started again. At the end each table holds what its CRM shows, and no text twice.
 *
 * `--only globex --hooks --faults 0.02 --kill-every 15 --processes 1` is one CRM that calls, under
 * every kind of trouble.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { quoteIdent } from '../../src/domain/names.ts';
import { type RunningCli, startCli } from '../e2e/cli-process.ts';
import { type Action, type Said, SIDES, type Side } from './four-sides.ts';
import { inOwnDatabase } from './own-database.ts';
import { everyTrouble } from './trouble.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    /** Between two edits of a side. */
    pause: { type: 'string', default: '500' },
    only: { type: 'string', default: SIDES.map(({ name }) => name).join(',') },
    settle: { type: 'string', default: '240' },
    processes: { type: 'string', default: '2' },
    'kill-every': { type: 'string', default: '120' },
    /** Which share of all requests each kind of trouble hits. */
    faults: { type: 'string', default: '0' },
    /** Those CRMs call that do: with one process alone, which listens. */
    hooks: { type: 'boolean', default: false },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const sides = SIDES.filter(({ name }) => options.only.split(',').includes(name));
const endsAtMs = Date.now() + Number(options.minutes) * 60_000;

interface Played {
  readonly side: Side;
  readonly said: Said;
  readonly qualified: string;
}

async function act({ adminUrl }: Said, [name, body]: Action): Promise<void> {
  const response = await fetch(`${adminUrl}/${name}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  // Somebody else may have removed it.
  if (!response.ok && ![400, 404].includes(response.status)) {
    throw new Error(`${name}: ${response.status} ${await response.text()}`);
  }
}

async function anyId(qualified: string, sql: pg.Pool): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM ${qualified} WHERE id NOT LIKE 'local:%' ORDER BY random() LIMIT 1`,
  );
  return rows[0]?.id ?? '';
}

let edits = 0;
let kills = 0;
/** Edits of one side, here and in the app, until time is up. */
async function play({ side, said, qualified }: Played, sql: pg.Pool): Promise<void> {
  const { table: _, column, insert, actions } = side;
  const name = quoteIdent(column);
  while (Date.now() < endsAtMs) {
    edits += 1;
    const n = edits;
    const here = `text ${n} here`;
    const there = `text ${n} there`;
    const id = await anyId(qualified, sql);
    const dice = Math.random();
    if (dice < 0.35) {
      await sql.query(`UPDATE ${qualified} SET ${name} = $1 WHERE id = $2`, [here, id]);
    } else if (dice < 0.7) await act(said, actions.edit(id, there));
    else if (dice < 0.8) {
      const row = { [column]: here, ...insert(n) };
      const names = Object.keys(row).map(quoteIdent).join(', ');
      const marks = Object.keys(row).map((__, index) => `$${index + 1}`);
      await sql.query(
        `INSERT INTO ${qualified} (${names}) VALUES (${marks.join(', ')})`,
        Object.values(row),
      );
    } else if (dice < 0.9) await act(said, actions.create(there, n));
    else if (dice < 0.95) await sql.query(`DELETE FROM ${qualified} WHERE id = $1`, [id]);
    else await act(said, actions.remove(id));
    await sleep(Number(options.pause));
  }
}

/** What is wrong of one side at this moment; empty once all is settled. */
async function problemsOf({ side, said, qualified }: Played, sql: pg.Pool): Promise<string[]> {
  const remote = await side.read(said);
  const { rows } = await sql.query<{ id: string; text: string | null }>(
    `SELECT id, ${quoteIdent(side.column)} AS text FROM ${qualified}`,
  );
  const local = new Map(rows.map((row) => [row.id, row.text]));
  const problems: string[] = [];
  for (const [id, words] of remote) {
    if (!local.has(id)) problems.push(`${side.name}: ${id} is missing here`);
    else if ((local.get(id) ?? null) !== words) {
      problems.push(
        `${side.name}: ${id} is ${String(local.get(id))} here and ${String(words)} there`,
      );
    }
  }
  for (const id of local.keys()) {
    if (!remote.has(id)) problems.push(`${side.name}: ${id} is here and not there`);
  }
  const texts = [...remote.values()].filter((words) => words?.startsWith('text '));
  if (new Set(texts).size !== texts.length) problems.push(`${side.name}: a text is there twice`);
  const { rows: open } = await sql.query<{ state: string; reason: string; n: number }>(
    `SELECT state, coalesce(last_error, '') AS reason, count(*)::int AS n FROM ${side.name}_sync.outbox
      WHERE done_at IS NULL GROUP BY 1, 2`,
  );
  for (const { state, reason, n } of open) {
    if (state !== 'parked') problems.push(`${side.name}: ${n} ${state} ${reason}`);
  }
  const { rows: lost } = await sql.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${side.name}_sync.outbox AS o
      WHERE o.state = 'cancelled' AND NOT EXISTS (
        SELECT FROM ${side.name}_sync.conflict AS c
         WHERE c.object = o.object AND c.resolved_at IS NOT NULL
           AND ${side.name}_sync.current_id(c.object, c.record_id) = ${side.name}_sync.current_id(o.object, o.record_id))`,
  );
  if (lost[0]?.n) problems.push(`${side.name}: ${lost[0].n} were given up without a conflict`);
  // Both values are somebody's of here: nobody over there has changed anything.
  const { rows: unreal } = await sql.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${side.name}_sync.conflict
      WHERE field = $1 AND remote #>> '{}' LIKE '% here' AND policy <> 'deleted'`,
    [side.column],
  );
  if (unreal[0]?.n) problems.push(`${side.name}: ${unreal[0].n} conflicts with an edit of here`);
  return problems;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function residentOf({ child }: RunningCli): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

await inOwnDatabase(async (url) => {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-four-'));
  const servers = sides.map(({ emulator }) =>
    startCli(['emulator', '--port', '0', '--json', ...emulator]),
  );
  const processes: RunningCli[] = [];
  const sql = new pg.Pool({ connectionString: url });
  sql.on('error', () => undefined);
  try {
    const workspaces: Record<string, unknown> = {};
    const played: Played[] = [];
    for (const [index, side] of sides.entries()) {
      const said: Said = JSON.parse((await servers[index]?.saw(/\{.*\}/)) ?? '');
      await act(said, ['switches', side.switches]);
      const apiKeyFile = join(folder, `${side.name}.key`);
      await writeFile(apiKeyFile, said.apiKey);
      workspaces[side.name] = {
        ...side.entry(said),
        apiKeyFile,
        apiUrl: said.url,
        push: true,
        objects: { [side.table]: { pull: '* * * * * *', scan: '5s' } },
        massDelete: { rows: 10_000, percent: 100 },
      };
      played.push({ side, said, qualified: `${side.name}.${quoteIdent(side.table)}` });
    }
    const file = join(folder, 'fleet.yaml');
    await writeFile(file, JSON.stringify({ workspaces }));
    const here = `127.0.0.1:${await freePort()}`;
    const env = {
      CLARIFY_SYNC_FLEET: file,
      DATABASE_URL: url,
      CLARIFY_SYNC_HTTP: options.hooks ? here : 'off',
      ...(options.hooks && { CLARIFY_SYNC_PUBLIC_URL: `http://${here}` }),
    };
    const start = () => startCli(['run'], { env });
    for (let n = 0; n < Number(options.processes); n += 1) processes.push(start());
    for (const { qualified, side } of played) {
      for (;;) {
        const ready = await sql
          .query(`SELECT count(*)::int AS rows FROM ${qualified}`)
          .then(({ rows: [row] }) => Number(row?.rows) >= 20)
          .catch(() => false);
        if (ready) break;
        await sleep(500);
      }
      print(`${side.name} is read`);
    }
    const share = Number(options.faults);
    const faults = share === 0 ? [] : everyTrouble(share);
    for (const { said } of played) {
      for (const fault of faults) await act(said, ['faults', fault]);
    }
    const meddle = async () => {
      for (let round = 0; Date.now() < endsAtMs; round += 1) {
        const pauseMs = Number(options['kill-every']) * 1_000;
        await sleep(Math.min(pauseMs, Math.max(0, endsAtMs - Date.now())));
        const memory = await Promise.all(processes.map(residentOf));
        print(`${new Date().toISOString()} ${edits} edits, ${memory.join(' and ')} MB`);
        if (Date.now() >= endsAtMs) return;
        const [victim] = processes.splice(0, 1);
        victim?.child.kill('SIGKILL');
        await victim?.ended;
        kills += 1;
        processes.push(start());
      }
    };
    await Promise.all([meddle(), ...played.map((one) => play(one, sql))]);
    for (const { said } of played) await fetch(`${said.adminUrl}/faults`, { method: 'DELETE' });
    let problems: string[] = [];
    const settledBy = Date.now() + Number(options.settle) * 1_000;
    do {
      await sleep(3_000);
      problems = (await Promise.all(played.map((one) => problemsOf(one, sql)))).flat();
    } while (problems.length > 0 && Date.now() < settledBy);
    for (const problem of problems.slice(0, 40)) print(`! ${problem}`);
    for (const { side } of played) {
      const { rows } = await sql.query(
        `SELECT state, coalesce(last_error, '') AS reason, count(*)::int AS n
           FROM ${side.name}_sync.outbox GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 6`,
      );
      print(
        `${side.name}: ${rows.map(({ state, reason, n }) => `${n} ${state} ${reason}`).join(', ')}`,
      );
    }
    print(`${edits} edits, ${kills} kills, ${problems.length} differences`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } catch (error) {
    print(String(error));
    throw error;
  } finally {
    await sql.end().catch(() => undefined);
    for (const { child, ended } of [...processes, ...servers]) {
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  }
});
