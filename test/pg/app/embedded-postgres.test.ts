import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/app/embedded-postgres/embedded-postgres.ts';

let folder: string;
let dir: string;
const started: EmbeddedPostgres[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-'));
  await chmod(folder, 0o755);
  dir = join(folder, '.clarify-sync', 'postgres');
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dir });
  started.push(server);
  return server;
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function isRunning(): Promise<boolean> {
  return stat(join(dir, 'data', 'postmaster.pid')).then(
    () => true,
    () => false,
  );
}

describe('startEmbeddedPostgres', () => {
  it('keeps port, password and data from one start to the next', async () => {
    const first = await start();
    await ask(first.url, 'create table kept (id int)');
    await Promise.all([first.stop(), first.stop()]);
    expect(await isRunning()).toBe(false);
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'select * from kept')).toEqual([]);
    expect((await stat(join(dir, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('is one server for all that start it, and runs until the last one stops', async () => {
    const [one, two, three] = await Promise.all([start(), start(), start()]);
    expect(new Set([one.url, two.url, three.url]).size).toBe(1);
    await one.stop();
    await two.stop();
    expect(await ask(three.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await three.stop();
    expect(await isRunning()).toBe(false);
  });

  it('recovers from a server that was killed', async () => {
    const first = await start();
    const [pid] = (await readFile(join(dir, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    await first.stop();
    const second = await start();
    expect(await ask(second.url, 'select current_database() as name')).toEqual([
      { name: 'clarify' },
    ]);
  });

  it('leaves a folder alone that it did not make', async () => {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'notes.txt'), 'mine');
    await expect(start()).rejects.toMatchObject({ code: 'embedded-postgres-failed' });
    expect(await readFile(join(dir, 'notes.txt'), 'utf8')).toBe('mine');
  });
});
