import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openDatabase } from '../../src/db/connection/database.ts';
import { loadMirror } from '../../src/db/mirror/load.ts';
import type { Emulator } from '../../src/emulator/clarify/emulator.ts';
import { lastDocument, runCli, startCli } from '../e2e/cli-process.ts';
import { type Chance, createChance } from '../simulation/chance.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { startCheckedEmulator } from '../support/checked-emulator.ts';
import { EDITED, type Meddled, type Meddler, OBJECTS, startMeddling } from './meddling.ts';

export interface MeddleOptions {
  /** A database of its own, empty. */
  readonly databaseUrl: string;
  readonly minutes: number;
  readonly seed: string;
  readonly tell?: (line: string) => void;
}

export interface Meddle {
  readonly done: Readonly<Record<string, number>>;
  readonly edits: number;
  /** Edits that a user's own constraint refused. */
  readonly refused: number;
  /** Objects that stood still although nobody had touched them for long. */
  readonly stopped: readonly string[];
  readonly differences: readonly string[];
  /** What was left over once everything was taken away. */
  readonly left: readonly string[];
}

const CONFIG = `
massDelete: { rows: 1000000, percent: 100 }
objects:
${OBJECTS.map((object) => `  ${object}: { pull: "*/2 * * * * *" }`).join('\n')}
`;
/** What healed by itself has had the time for it after so long. */
const HEALING_MS = 60_000;
/** And what nobody touched is sent within this. */
const LATE_SECONDS = 20;

/**
 * The service while users throw DDL, constraints, triggers and locks at its tables, and both sides
 * edit: no object but the one concerned ever stops, and all are equal once the last of it is gone
 * (invariant 10).
 */
export async function meddle(options: MeddleOptions): Promise<Meddle> {
  const { databaseUrl, minutes, seed, tell = () => {} } = options;
  const chance = createChance(seed);
  const sizes = { person: 40, company: 20, deal: 20, task: 30, c_project: 15, meeting: 0 };
  const emulator = await startCheckedEmulator({
    seed,
    sizes: { ...sizes, message: 0 },
    switches: { ratePerMinute: 30_000 },
  });
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-meddle-'));
  const config = join(folder, 'config.yaml');
  await writeFile(config, CONFIG);
  const env = {
    CLARIFY_API_URL: emulator.url,
    CLARIFY_API_KEY: emulator.apiKey,
    CLARIFY_WORKSPACE: emulator.workspace,
    CLARIFY_SYNC_CONFIG: config,
    CLARIFY_SYNC_PUSH: 'on',
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: databaseUrl,
  };
  const db = openDatabase({ url: databaseUrl, applicationName: 'clarify-sync meddle' });
  const first = await runCli(['sync', '--json'], { env });
  if (first.code !== 0) throw new Error(first.stderr);
  const service = startCli(['run'], { env });
  try {
    await service.saw(/"leading"/);
    const meddler = startMeddling(databaseUrl, {
      chance: createChance(`${seed} ddl`),
      mostAtOnce: 2,
    });
    const load = startEdits(databaseUrl, emulator, chance);
    const stopped: string[] = [];
    const endMs = performance.now() + minutes * 60_000;
    while (performance.now() < endMs) {
      await sleep(2_000);
      if (service.child.exitCode !== null) throw new Error((await service.ended).stderr);
      for (const line of await standingStill(db, meddler)) {
        if (!stopped.includes(line)) tell(`! ${line}`);
        stopped.push(line);
      }
    }
    tell('taking everything away');
    await meddler.stop();
    await load.stop();
    await untilQuiet(db);
    service.child.kill('SIGTERM');
    const { code, stderr } = await service.ended;
    if (code !== 0) throw new Error(`the service ended with ${code}\n${stderr}`);
    const last = await runCli(['sync', '--json'], { env });
    const { tables, links } = await loadMirror(db);
    const both = { emulator, session: { tables, links }, sql: (text: string) => db.query(text) };
    return {
      done: Object.fromEntries(meddler.done),
      edits: load.edits,
      refused: load.refused,
      stopped,
      differences: [...(await differences(both)), ...(await linkDifferences(both))],
      left: last.code === 0 ? [] : [JSON.stringify(lastDocument(last))],
    };
  } finally {
    service.child.kill('SIGKILL');
    await service.ended;
    await db.close();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Reader = ReturnType<typeof openDatabase>;

/** Objects that nobody has touched for long, and yet are in trouble, or late. */
async function standingStill(db: Reader, meddler: Meddler): Promise<readonly string[]> {
  const calm = OBJECTS.filter(
    (object) => performance.now() - (meddler.touchedAtMs.get(object) ?? 0) > HEALING_MS,
  );
  const rows = await db.query<{ says: string }>(
    `SELECT concat(object, ': ', part, ' stopped, ', code) AS says
       FROM clarify_sync.trouble WHERE object = ANY($1::text[]) AND attempts > 2
     UNION ALL
     SELECT concat(object, ': ', code) FROM clarify_sync.mirror_problem WHERE object = ANY($1::text[])
     UNION ALL
     SELECT concat(object, ': edits late, ', min(last_error)) FROM clarify_sync.outbox
      WHERE object = ANY($1::text[]) AND state IN ('pending', 'sending') AND blocked_by IS NULL
        AND created_at < clock_timestamp() - make_interval(secs => $2)
      GROUP BY object`,
    [calm, LATE_SECONDS],
  );
  return rows.map(({ says }) => says);
}

async function untilQuiet(db: Reader): Promise<void> {
  const deadlineMs = performance.now() + 3 * HEALING_MS;
  while (performance.now() < deadlineMs) {
    const left = await db.query(
      `SELECT 1 FROM clarify_sync.outbox WHERE state IN ('pending', 'sending')
       UNION ALL SELECT 1 FROM clarify_sync.deferred
       UNION ALL SELECT 1 FROM clarify_sync.mirror_problem LIMIT 1`,
    );
    if (left.length === 0) return;
    await sleep(500);
  }
}

interface Edits {
  readonly edits: number;
  readonly refused: number;
  stop(): Promise<void>;
}

/** Users of both sides, who edit, insert and delete. One whose statement is refused has lost nothing. */
function startEdits(databaseUrl: string, { store }: Emulator, chance: Chance): Edits {
  let edits = 0;
  let refused = 0;
  let n = 0;
  const stopping = new AbortController();
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  const value = () => `value ${(n += 1)}`;
  const tried = async (text: string, values: readonly unknown[]) => {
    try {
      await client.query(text, [...values]);
      edits += 1;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      refused += 1;
    }
  };
  const edit = async (object: Meddled) => {
    const column = EDITED[object];
    const there = store.ids(object);
    const some = `(SELECT _key FROM clarify.${object} ORDER BY random() LIMIT 1)`;
    switch (chance.int(0, 7)) {
      case 0:
        store.create(object, { [column]: value() });
        break;
      case 1:
        if (there.length > 10) store.delete(object, chance.of(there));
        break;
      case 2:
        await tried(`INSERT INTO clarify.${object} (${column}) VALUES ($1)`, [value()]);
        break;
      case 3:
        if (there.length > 10)
          await tried(`DELETE FROM clarify.${object} WHERE _key = ${some}`, []);
        break;
      case 4:
      case 5:
        await tried(`UPDATE clarify.${object} SET ${column} = $1 WHERE _key = ${some}`, [value()]);
        break;
      default:
        store.update(object, chance.of(there), { [column]: value() });
    }
  };
  const working = (async () => {
    await client.connect();
    await client.query(`SET lock_timeout = '200ms'`);
    while (!stopping.signal.aborted) {
      await edit(chance.of(OBJECTS));
      await sleep(chance.int(20, 200));
    }
    await client.end();
  })();
  return {
    get edits() {
      return edits;
    },
    get refused() {
      return refused;
    },
    async stop() {
      stopping.abort();
      await working;
    },
  };
}
