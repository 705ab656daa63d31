import { setTimeout as sleep } from 'node:timers/promises';
import type { Postgres } from './postgres.ts';
import { readOwnProcessorMs } from './processor.ts';
import { type Resident, readResident } from './residents.ts';

/** What processes cost while nobody changes anything. */
export interface Idle {
  readonly resident: Resident;
  /** Processor time of the processes, and of the Postgres they share, milliseconds. */
  readonly processorMs: number;
  readonly databaseMs: number;
  /** What the reading calls gave most of. */
  readonly connections: number;
}

const LOOK_MS = 5_000;

/** Looks on for so long. */
export async function measureIdle(
  pids: readonly number[],
  { postgres, ms }: { readonly postgres: Postgres; readonly ms: number },
  countConnections: () => Promise<number>,
): Promise<Idle> {
  const read = async () => {
    const own = await Promise.all(pids.map(readOwnProcessorMs));
    const database = await postgres.processorMs();
    if (database === null || own.includes(null))
      throw new Error('this machine tells no processor time');
    return { own: own.reduce<number>((sum, one) => sum + (one ?? 0), 0), database };
  };
  const before = await read();
  let connections = 0;
  for (let leftMs = ms; leftMs > 0; leftMs -= LOOK_MS) {
    await sleep(Math.min(LOOK_MS, leftMs));
    connections = Math.max(connections, await countConnections());
  }
  const after = await read();
  return {
    resident: await readResident(pids),
    processorMs: after.own - before.own,
    databaseMs: after.database - before.database,
    connections,
  };
}
