import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query } from '../postgres.ts';
import { type Finished, runNode } from '../process.ts';
import { type Emulator, environment, PROGRAM, runProgram } from '../stage.ts';
import { installPeer } from './install.ts';

/** A program that sends changed rows of a table to the CRM. */
export interface Pusher {
  /** The table with the columns `id`, `job_title` and `lifecycle`, which holds every person. */
  readonly table: string;
  /** Assignments that go with every edit, each with a comma before it. */
  readonly stamp: string;
  /** One run of it, which sends what has changed since the last. */
  push(): Promise<Finished>;
  close(): Promise<void>;
}

/** Fills the table first. */
export type OpenPusher = (emulator: Emulator, databaseUrl: string) => Promise<Pusher>;

/** Some of what was to be sent was refused, which it says by its code. */
const GOOD_CODES = { ours: [0, 3], drt: [0, 1] };

/** By a build of this program; what is at `main` unless told. */
export function ours(main = PROGRAM): OpenPusher {
  return async (emulator, databaseUrl) => {
    const env = environment(emulator, databaseUrl);
    await runNode([main, 'backfill', 'person', '--json'], env);
    return {
      table: 'clarify.person',
      stamp: '',
      push: async () => await runNode([main, 'push', 'person', '--json'], env, GOOD_CODES.ours),
      close: async () => {},
    };
  };
}

/** By drt, which finds changed rows by a timestamp, as its documentation has it. */
export function drt(batch: number): OpenPusher {
  return async (emulator, databaseUrl) => {
    const peer = await installPeer('drt-1.2.1');
    await runProgram(emulator, databaseUrl, ['backfill', 'person']);
    const table = 'public.person';
    await query(
      databaseUrl,
      `CREATE TABLE ${table} AS
         SELECT id, job_title, lifecycle, now() AS updated_at FROM clarify.person`,
    );
    await query(databaseUrl, `ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
    await query(databaseUrl, `CREATE INDEX ON ${table} (updated_at)`);
    const [seen] = await query(
      databaseUrl,
      `SELECT max(updated_at AT TIME ZONE 'UTC')::text AS at FROM ${table}`,
    );
    const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-drt-'));
    const write = async (name: string, content: object) => {
      const path = join(folder, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, JSON.stringify(content));
    };
    const { hostname, port, pathname, username, password } = new URL(databaseUrl);
    await write('home/.drt/profiles.yml', {
      bench: {
        type: 'postgres',
        host: hostname,
        port: Number(port),
        dbname: pathname.slice(1),
        user: username,
        password_env: 'PEER_PASSWORD',
      },
    });
    await write('drt_project.yml', { name: 'bench', profile: 'bench' });
    await write(
      'syncs/person.yml',
      describeSync(emulator, { table, batch, from: String(seen?.['at']) }),
    );
    const env = { HOME: join(folder, 'home'), PEER_PASSWORD: decodeURIComponent(password) };
    return {
      table,
      stamp: ', updated_at = now()',
      push: async () => {
        const options = { env, cwd: folder, goodCodes: GOOD_CODES.drt };
        return await peer.run('drt', ['run', '--output', 'json'], options);
      },
      close: async () => await rm(folder, { recursive: true, force: true }),
    };
  };
}

/** JSON is YAML too. */
function describeSync(
  { url, apiKey, workspace }: Emulator,
  { table, batch, from }: { readonly table: string; readonly batch: number; readonly from: string },
): object {
  const attributes = ['job_title', 'lifecycle']
    .map((name) => `"${name}":{{ row.${name} | tojson_safe }}`)
    .join(',');
  const item = `{"type":"person","id":{{ row.id | tojson_safe }},"attributes":{${attributes}}}`;
  return {
    name: 'person',
    model: `SELECT id, job_title, lifecycle, updated_at FROM ${table}`,
    destination: {
      type: 'rest_api',
      url: `${url}/workspaces/${workspace}/objects/person/records`,
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'drt' },
      auth: { type: 'api_key', header: 'Authorization', value: `api-key ${apiKey}` },
      body_mode: 'batch',
      batch_template: `{"data":[{% for row in rows %}${item}{{ "," if not loop.last }}{% endfor %}]}`,
    },
    sync: {
      mode: 'incremental',
      cursor_field: 'updated_at',
      watermark: { default_value: from },
      batch_size: batch,
      // One refused batch would otherwise keep back everything behind it, at every run.
      on_error: 'skip',
      dlq: { enabled: true },
      rate_limit: { requests_per_second: 100_000 },
    },
  };
}
