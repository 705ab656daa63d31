import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BEFORE_START, buildAt } from './baseline.ts';
import { atMost, show } from './figures.ts';
import { type Idle, measureIdle } from './idle.ts';
import type { Told } from './parts.ts';
import type { Postgres } from './postgres.ts';
import { startSilently } from './process.ts';
import { environment, PROGRAM, type Stage, withDatabase, withEmulator } from './stage.ts';

/** What is left are seven objects that are read every minute. */
const FILE = 'exclude: [meeting_recording, playbook]\n';
const PEOPLE = 100;
/** Until what starting took has been given back. */
const SETTLE_MS = 130_000;
const LOOK_MS = 120_000;
const MEGABYTE = 1_000_000;

interface Ticking extends Idle {
  readonly requests: number;
}

/** A service with nothing to do but its ticks, once a minute: its memory, and a tick's processor time. */
export async function idlePart(postgres: Postgres, { tell }: Told): Promise<void> {
  const before = await watch(postgres, await buildAt(BEFORE_START));
  const now = await watch(postgres, PROGRAM);
  const each = ({ processorMs, requests }: Ticking) => processorMs / requests;
  tell({
    name: 'idle tick of 7 objects, processor time a request, to the build before',
    value: each(now) / each(before),
    unit: 'times',
    limit: atMost(0.5),
    note: `${show(each(now))} ms beside ${show(each(before))}; ${show(now.requests)} requests in ${LOOK_MS / 1_000} s`,
  });
  tell({
    name: 'resident memory of an idle service',
    value: now.resident.bytes / MEGABYTE,
    unit: 'MB',
    limit: atMost(70),
    note: `${show(now.resident.proportionalBytes / MEGABYTE)} of its own; the build before ${show(before.resident.bytes / MEGABYTE)} and ${show(before.resident.proportionalBytes / MEGABYTE)}`,
  });
}

async function watch(postgres: Postgres, program: string): Promise<Ticking> {
  return await withEmulator(PEOPLE, (emulator) =>
    withDatabase(postgres, (databaseUrl) =>
      withFile(async (file) => {
        const env = { ...environment(emulator, databaseUrl), CLARIFY_SYNC_CONFIG: file };
        const service = startSilently([program, 'run'], env);
        try {
          await sleep(SETTLE_MS);
          return await look({ emulator, postgres }, service.pid);
        } finally {
          await service.stop();
        }
      }),
    ),
  );
}

async function look({ emulator, postgres }: Stage, pid: number): Promise<Ticking> {
  const before = await countRequests(emulator);
  const idle = await measureIdle([pid], { postgres, ms: LOOK_MS }, async () => 0);
  return { ...idle, requests: (await countRequests(emulator)) - before };
}

async function countRequests(emulator: Stage['emulator']): Promise<number> {
  const { endpoints } = await emulator.stats();
  return Object.values(endpoints).reduce((sum, { requests }) => sum + requests, 0);
}

async function withFile<T>(work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'clarify-sync-idle-'));
  try {
    const path = join(folder, 'config.yaml');
    await writeFile(path, FILE);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
