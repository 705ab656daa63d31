import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Database, openDatabase } from '../../src/db/connection/database.ts';
import { loadMirror } from '../../src/db/mirror/load.ts';
import { lastDocument, type RunningCli, runCli, startCli } from '../e2e/cli-process.ts';
import { createChance } from '../simulation/chance.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { type Birth, startLoad } from './load.ts';
import { everyTrouble } from './trouble.ts';

export interface EnduranceOptions {
  /** A database of its own, empty. */
  readonly databaseUrl: string;
  readonly kills: number;
  /** The share of requests that each kind of fault hits. */
  readonly faultShare: number;
  readonly seed: string;
  readonly tell?: (line: string) => void;
}

export interface Endurance {
  readonly kills: number;
  readonly commits: number;
  readonly inserts: number;
  readonly requests: number;
  /** Requests that a fault hit. */
  readonly faults: number;
  /** Inserts whose record is there twice, or not, or not as last edited. */
  readonly wrong: readonly string[];
  /** Where Clarify and the mirror differ. */
  readonly differences: readonly string[];
  /** What was taken for a conflict, although nobody edited what is edited here. */
  readonly conflicts: readonly string[];
  /** Why entries are parked. */
  readonly parked: readonly string[];
}

const SETTLING_MS = 120_000;
/** No delete waits for a person here, and whoever reads gets something to read. */
const CONFIG = `
massDelete: { rows: 1000000, percent: 100 }
objects:
${['person', 'company', 'deal', 'task', 'c_project'].map((object) => `  ${object}: { pull: "*/2 * * * * *" }`).join('\n')}
`;

/**
 * The service under load, killed again and again while every kind of request fails now and then;
 * then both sides come to rest and are compared.
 */
export async function endure(options: EnduranceOptions): Promise<Endurance> {
  const { databaseUrl, kills, faultShare, seed, tell = () => {} } = options;
  const chance = createChance(seed);
  const sizes = { person: 60, company: 10, deal: 10, task: 10, meeting: 0, message: 0 };
  const emulator = await startCheckedEmulator({ seed, sizes, switches: { ratePerMinute: 30_000 } });
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-endurance-'));
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
  const user = new pg.Client({ connectionString: databaseUrl });
  const db = openDatabase({ url: databaseUrl, applicationName: 'clarify-sync endurance' });
  let service: RunningCli | null = null;
  try {
    await user.connect();
    const first = await runCli(['sync', '--json'], { env });
    if (first.code !== 0) throw new Error(first.stderr);
    emulator.resetStats();
    for (const fault of everyTrouble(faultShare)) emulator.faults.add(fault);
    const load = startLoad(user, emulator, { chance, pauseMs: 40 });
    service = startCli(['run'], { env });
    for (let kill = 1; kill <= kills; kill += 1) {
      await service.saw(/"leading"/);
      await sleep(chance.int(100, 3_000));
      service.child.kill('SIGKILL');
      await service.ended;
      tell(`kill ${kill}: ${load.commits} commits, ${load.births.length} inserts so far`);
      service = startCli(['run'], { env });
    }
    await service.saw(/"leading"/);
    await sleep(2_000);
    await load.stop();
    const faults = emulator.faults.list().reduce((sum, { hits }) => sum + hits, 0);
    const { requests } = emulator.stats();
    emulator.faults.clear();
    tell('settling');
    await untilSettled(db);
    service.child.kill('SIGTERM');
    const { code, stderr } = await service.ended;
    if (code !== 0) throw new Error(`the service ended with ${code}\n${stderr}`);
    const last = await runCli(['sync', '--json'], { env });
    tell(`sync: ${JSON.stringify(lastDocument(last))}`);
    return {
      kills,
      commits: load.commits,
      inserts: load.births.length,
      requests,
      faults,
      wrong: wrongBirths(emulator, load.births),
      differences: await compare(emulator, db),
      conflicts: await readConflicts(db),
      parked: await readParked(db),
    };
  } finally {
    service?.child.kill('SIGKILL');
    await service?.ended;
    await user.end();
    await db.close();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilSettled(db: Database): Promise<void> {
  const deadlineMs = performance.now() + SETTLING_MS;
  while (performance.now() < deadlineMs) {
    const left = await db.query(
      `SELECT 1 FROM clarify_sync.outbox WHERE state IN ('pending', 'sending') LIMIT 1`,
    );
    if (left.length === 0) return;
    await sleep(250);
  }
}

function wrongBirths(emulator: Emulator, births: readonly Birth[]): readonly string[] {
  const byMark = new Map<string, (typeof records)[number][]>();
  const records = [...new Set(births.map(({ object }) => object))].flatMap((object) =>
    emulator.store.all(object),
  );
  const markOf = new Map(births.map(({ object, markedBy }) => [object, markedBy]));
  for (const record of records) {
    const mark = record.attributes[markOf.get(record.type) ?? ''];
    if (typeof mark !== 'string') continue;
    byMark.set(mark, [...(byMark.get(mark) ?? []), record]);
  }
  return births.flatMap(({ mark, alive, edited, value, missed }) => {
    const found = byMark.get(mark) ?? [];
    if (found.length !== (alive ? 1 : 0)) return [`${mark}: ${found.length} records`];
    const now = found[0]?.attributes[edited] ?? null;
    return now === value || !alive
      ? []
      : [`${mark}: ${JSON.stringify(now)} instead of ${value}, ${missed} edits of no row`];
  });
}

async function compare(emulator: Emulator, db: Database): Promise<readonly string[]> {
  const session = await loadMirror(db);
  const workspace = { emulator, session, sql: (text: string) => db.query(text) };
  return [...(await differences(workspace)), ...(await linkDifferences(workspace))];
}

async function readConflicts(db: Database): Promise<readonly string[]> {
  const rows = await db.query<{ object: string; field: string; values: unknown }>(
    `SELECT object, field, jsonb_build_object('base', base, 'local', local, 'remote', remote) AS values
       FROM clarify_sync.conflict`,
  );
  return rows.map(({ object, field, values }) => `${object}.${field}: ${JSON.stringify(values)}`);
}

async function readParked(db: Database): Promise<readonly string[]> {
  const rows = await db.query<{ object: string; last_error: string }>(
    `SELECT object, last_error FROM clarify_sync.outbox WHERE state <> ALL ('{done,superseded,cancelled}')`,
  );
  return rows.map(({ object, last_error }) => `${object}: ${last_error}`);
}
