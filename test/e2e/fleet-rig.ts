import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Database } from '../../src/db/connection/database.ts';
import { type Emulator, startCheckedEmulator } from '../support/checked-emulator.ts';
import { type RunningCli, startCli } from './cli-process.ts';

/** An empty database of one's own. */
export interface RigDatabase {
  readonly url: string;
  readonly db: Pick<Database, 'query'>;
  drop(): Promise<void>;
}

/** What is remembered of a workspace in the file. */
interface Written {
  readonly emulator: Emulator;
  readonly entry: Record<string, unknown>;
}

/** Processes of a fleet, their file, their database, and a CRM for each workspace. */
export interface FleetRig {
  readonly database: RigDatabase;
  readonly file: string;
  readonly folder: string;
  readonly processes: readonly RunningCli[];
  emulator(name: string): Emulator;
  /** Not in the file before the next `write`. */
  addWorkspace(name: string, more?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Out of the file with the next `write`; its CRM stays. */
  retire(name: string): void;
  names(): readonly string[];
  write(): Promise<void>;
  /** As its own process; resolves once it runs. With a `copy` it has files of its own, in that folder. */
  start(options?: { readonly copy?: string }): Promise<RunningCli>;
  /** Who leads each workspace: by its lease, by the database's clock. */
  leaders(): Promise<Map<string, string | null>>;
  env(): Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function openRig(database: RigDatabase): Promise<FleetRig> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-fleet-'));
  const file = join(folder, 'fleet.yaml');
  const written = new Map<string, Written>();
  const retired = new Set<string>();
  const emulators: Emulator[] = [];
  const processes: RunningCli[] = [];
  const env = () => ({
    CLARIFY_SYNC_FLEET: file,
    CLARIFY_SYNC_HTTP: 'off',
    DATABASE_URL: database.url,
  });
  return {
    database,
    file,
    folder,
    processes,
    env,
    emulator(name) {
      const found = written.get(name)?.emulator;
      if (found === undefined) throw new Error(`no workspace ${name}`);
      return found;
    },
    async addWorkspace(name, more = {}) {
      const emulator = await startCheckedEmulator({ sizes: { person: 20, company: 5 } });
      emulators.push(emulator);
      const key = join(folder, `${name}.key`);
      await writeFile(key, `${emulator.apiKey}\n`);
      const entry = {
        crm: 'clarify',
        apiKeyFile: key,
        apiUrl: emulator.url,
        workspace: emulator.workspace,
        push: true,
        ...more,
      };
      written.set(name, { emulator, entry });
    },
    retire: (name) => void retired.add(name),
    names: () => [...written.keys()].filter((name) => !retired.has(name)),
    async write() {
      const inFile = [...written].filter(([name]) => !retired.has(name));
      const entries = inFile.map(([name, { entry }]) => [name, entry]);
      await writeFile(file, stringify({ workspaces: Object.fromEntries(entries) }));
    },
    async start({ copy } = {}) {
      const own = copy === undefined ? file : await copyFiles(folder, copy);
      const process = startCli(['run'], { env: { ...env(), CLARIFY_SYNC_FLEET: own } });
      processes.push(process);
      await process.saw(/"running"/);
      return process;
    },
    async leaders() {
      const found = new Map<string, string | null>();
      for (const name of written.keys()) {
        if (retired.has(name)) continue;
        const rows = await database.db
          .query<{ holder: string }>(
            `SELECT holder FROM ${name}_sync.lease WHERE expires_at > clock_timestamp()`,
          )
          .catch(() => []);
        found.set(name, rows[0]?.holder ?? null);
      }
      return found;
    },
    async stop() {
      for (const { child, ended } of processes) {
        child.kill('SIGKILL');
        await ended;
      }
      await database.drop();
      await rm(folder, { recursive: true, force: true });
      for (const emulator of emulators) await emulator.stop();
    },
  };
}

/** @returns the fleet's file among them. */
async function copyFiles(folder: string, name: string): Promise<string> {
  const copy = join(folder, name);
  await mkdir(copy);
  for (const file of await readdir(folder)) {
    if (!/\.(?:key|yaml)$/.test(file)) continue;
    const text = await readFile(join(folder, file), 'utf8');
    await writeFile(join(copy, file), text.replaceAll(`${folder}/`, `${copy}/`));
  }
  return join(copy, 'fleet.yaml');
}

/** How many workspaces each process leads, from few to many; what nobody leads is -1. */
export function spreadOf(leaders: ReadonlyMap<string, string | null>): readonly number[] {
  const counts = new Map<string | null, number>();
  for (const leader of leaders.values()) counts.set(leader, (counts.get(leader) ?? 0) + 1);
  const unled = counts.get(null) ?? 0;
  counts.delete(null);
  return [...Array.from({ length: unled }, () => -1), ...counts.values()].toSorted((a, b) => a - b);
}
