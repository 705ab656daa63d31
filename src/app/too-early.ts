import { setTimeout as sleep } from 'node:timers/promises';
import { readUnconfirmed, type Unconfirmed } from '../db/position/scan.ts';
import { addCounts, type ObjectRun, type RunOptions } from './pull-all.ts';
import type { Session } from './session.ts';

/** Rows that the CRM does not show, and whose records are not proven to be gone. */
export type UnconfirmedRows = Omit<Unconfirmed, 'tellsInMs'>;

/** Nobody waits longer for what is settling. */
const SETTLING_MS = 60_000;

/**
 * Rows that were written within the minute before their object was read, and not shown, are either late
 * to show or gone. Another reading tells once that minute is over; where each costs much of a budget it
 * is left to the next pass.
 *
 * @returns `runs`, with what `again` brought of the objects that it was asked for.
 */
export async function readTooEarly(
  session: Session,
  runs: readonly ObjectRun[],
  reading: RunOptions,
  again: (reading: RunOptions) => Promise<readonly ObjectRun[]>,
): Promise<readonly ObjectRun[]> {
  const { db, remote, log } = session;
  const early = (await readUnconfirmed(db, reading.objects)).filter(({ object, tellsInMs }) => {
    const { changes } = remote.capabilitiesOf(object);
    const isScarce = changes.kind !== 'ordered-filter' && changes.everyMs !== undefined;
    return tellsInMs !== null && !isScarce;
  });
  if (early.length === 0) return runs;
  const objects = early.map(({ object }) => object);
  const waitMs = Math.min(
    SETTLING_MS,
    Math.max(0, ...early.map(({ tellsInMs }) => tellsInMs ?? 0)) + 50,
  );
  log.info({ objects, waitMs }, `rows that ${remote.title} does not show are looked for again`);
  await sleep(waitMs, undefined, { signal: reading.signal }).catch(() => undefined);
  if (reading.signal.aborted) return runs;
  const later = await again({ ...reading, objects });
  return runs.map((run) => {
    const one = later.find(({ object }) => object === run.object);
    return one === undefined ? run : { ...one, counts: addCounts(run.counts, one.counts) };
  });
}

export async function unconfirmedRows(
  { db }: Session,
  objects: readonly string[] | undefined,
): Promise<readonly UnconfirmedRows[]> {
  return (await readUnconfirmed(db, objects)).map(({ object, rows, tellsAt }) => {
    return { object, rows, tellsAt };
  });
}
